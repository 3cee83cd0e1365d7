//! Moments of real time: what signatures and the dates of policies are compared with.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

/// A moment: seconds since 1970-01-01 00:00 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub i64);

impl Moment {
    /// Reads ISO 8601's basic form, to the second and in UTC only: `20261123T154841Z`.
    pub fn from_basic(text: &str) -> Option<Moment> {
        let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
        if date.len() != 8 || time.len() != 6 {
            return None;
        }
        let date = Date::new(number(date, 0, 4)?, digits(date, 4)?, digits(date, 6)?).ok()?;
        let time = Time::new(digits(time, 0)?, digits(time, 2)?, digits(time, 4)?, 0).ok()?;
        Moment::of(DateTime::from_parts(date, time))
    }

    /// Reads the date of an HTTP header: `Mon, 23 Nov 2026 15:48:41 GMT`.
    pub fn from_http(text: &str) -> Option<Moment> {
        let read = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        Some(Moment(read.as_second()))
    }

    /// Reads a date as policies write them: W3C's profile of ISO 8601 (`2026-11-23`,
    /// `2026-11-23T15:48Z`, `2026-11-23T15:48:41.5+01:00`), or seconds since 1970.
    pub fn from_policy(text: &str) -> Option<Moment> {
        if let Ok(seconds) = text.parse::<i64>() {
            return Some(Moment(seconds));
        }
        if let Ok(moment) = text.parse::<Timestamp>() {
            return Some(Moment(moment.as_second()));
        }
        // Without a zone, the text is a date in UTC.
        Moment::of(text.parse::<Date>().ok()?.to_datetime(Time::midnight()))
    }

    /// As [`Moment::from_basic`] reads it.
    pub fn basic(self) -> String {
        self.civil().strftime("%Y%m%dT%H%M%SZ").to_string()
    }

    /// As policies write it: `2026-11-23T15:48:41Z`.
    pub fn extended(self) -> String {
        self.civil().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// This many seconds later, or earlier.
    #[must_use]
    pub fn after(self, seconds: i64) -> Moment {
        Moment(self.0.saturating_add(seconds))
    }

    fn of(civil: DateTime) -> Option<Moment> {
        TimeZone::UTC.to_timestamp(civil).ok().map(|moment| Moment(moment.as_second()))
    }

    /// Beyond the years that a calendar knows: the calendar's end.
    fn civil(self) -> DateTime {
        let end = if self.0 < 0 { Timestamp::MIN } else { Timestamp::MAX };
        TimeZone::UTC.to_datetime(Timestamp::from_second(self.0).unwrap_or(end))
    }
}

/// The two digits at `from`.
fn digits(text: &str, from: usize) -> Option<i8> {
    number(text, from, 2).and_then(|number| i8::try_from(number).ok())
}

/// A sign is no digit, although `parse` takes it.
fn number(text: &str, from: usize, length: usize) -> Option<i16> {
    let part = text.get(from..from + length)?;
    part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: Moment = Moment(1_795_448_921);

    #[test]
    fn each_form_is_the_same_moment() {
        assert_eq!(Moment::from_basic("20261123T154841Z"), Some(MOMENT));
        assert_eq!(Moment::from_http("Mon, 23 Nov 2026 15:48:41 GMT"), Some(MOMENT));
        assert_eq!(Moment::from_policy("2026-11-23T15:48:41Z"), Some(MOMENT));
        assert_eq!(Moment::from_policy("2026-11-23T16:48:41.9+01:00"), Some(MOMENT));
        assert_eq!(Moment::from_policy("1795448921"), Some(MOMENT));
        assert_eq!(Moment::from_policy("2026-11-23T15:48Z"), Some(MOMENT.after(-41)));
        assert_eq!(Moment::from_policy("1970-01-02"), Some(Moment(86_400)));
        assert_eq!(MOMENT.basic(), "20261123T154841Z");
        assert_eq!(MOMENT.extended(), "2026-11-23T15:48:41Z");
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "Z",
            "T",
            "20261123T154841",
            "20261123t154841Z",
            "20261323T154841Z",
            "20260230T154841Z",
            "20261123T154860Z",
            "20261123T+54841Z",
            "-0261123T154841Z",
            "2026112\u{e9}T15484Z",
            "20261123T154841ZZ",
        ] {
            assert_eq!(Moment::from_basic(text), None, "{text}");
        }
        for text in ["", "tomorrow", "2026-13-01", "2026-11-23T25:00:00Z", "1e9", "nan"] {
            assert_eq!(Moment::from_policy(text), None, "{text}");
            assert_eq!(Moment::from_http(text), None, "{text}");
        }
    }

    #[test]
    fn the_end_of_time_can_be_written() {
        assert_eq!(Moment(i64::MAX).basic().len(), 16);
        assert_eq!(Moment(i64::MIN).after(-1), Moment(i64::MIN));
        Moment(i64::MIN).extended();
    }
}
