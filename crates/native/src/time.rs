//! Moments as they are written: RFC 3339, and the stamps that the store gives.

use jiff::Timestamp;
use jiff::civil::DateTime;
use lineside_core::stamp::Stamp;

/// Whether a text is a `date-time` of RFC 3339, section 5.6.
///
/// The grammar first, since the library takes more than it (and the text is kept as it came), then
/// the library, which knows how long months are.
pub(crate) fn is_moment(text: &str) -> bool {
    parsed(text).is_some()
}

/// The stamp of a moment, rounded down to milliseconds; what was before 1970 is 1970.
pub(crate) fn stamp_of(text: &str) -> Option<Stamp> {
    let millis = parsed(text)?.as_millisecond();
    Some(Stamp(u64::try_from(millis).unwrap_or(0)))
}

/// A stamp in UTC, always with milliseconds, so that texts sort as the moments do; none for one
/// after the year 9999, which RFC 3339 cannot say.
pub(crate) fn text_of(stamp: Stamp) -> Option<String> {
    let millis = i64::try_from(stamp.0).ok()?;
    let moment = Timestamp::from_millisecond(millis).ok()?;
    Some(format!("{moment:.3}"))
}

fn parsed(text: &str) -> Option<Timestamp> {
    let (date_time, rest) = text.split_at_checked("0000-00-00T00:00:00".len())?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (fraction, offset) = match rest.strip_prefix('.') {
        None => ("", rest),
        Some(rest) => rest.split_at_checked(rest.find(|c: char| !c.is_ascii_digit())?)?,
    };
    let has_fraction = rest.starts_with('.');
    let fits = has_form(date_time, "0000-00-00T00:00:00") && (!has_fraction || digits(fraction));
    let is_zulu = matches!(offset, "Z" | "z");
    if !fits || !(is_zulu || is_offset(offset)) {
        return None;
    }
    // The library knows nanoseconds; the RFC lets a fraction be longer.
    let fraction = fraction.get(..9).unwrap_or(fraction);
    let dot = if has_fraction { "." } else { "" };
    let civil: DateTime = format!("{date_time}{dot}{fraction}").parse().ok()?;
    // The library's moments end some hours before the years do, so that each has a date anywhere.
    let nearest = if civil.year() < 5000 { Timestamp::MIN } else { Timestamp::MAX };
    Some(format!("{date_time}{dot}{fraction}{offset}").parse().unwrap_or(nearest))
}

/// Hours to 23 and minutes to 59.
fn is_offset(text: &str) -> bool {
    let sign = text.starts_with(['+', '-']);
    let hours = text.get(1..3).and_then(|hours| hours.parse::<u8>().ok());
    let minutes = text.get(4..6).and_then(|minutes| minutes.parse::<u8>().ok());
    let form = text.get(1..).is_some_and(|rest| has_form(rest, "00:00"));
    sign && form && hours.is_some_and(|h| h < 24) && minutes.is_some_and(|m| m < 60)
}

/// Whether a text is like a pattern, in which `0` is any digit, and `T` may be in lower case.
fn has_form(text: &str, pattern: &str) -> bool {
    let like = |(letter, sign): (u8, u8)| match sign {
        b'0' => letter.is_ascii_digit(),
        b'T' => matches!(letter, b'T' | b't'),
        _ => letter == sign,
    };
    text.len() == pattern.len() && text.bytes().zip(pattern.bytes()).all(like)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3339, sections 5.6 to 5.8.
    #[test]
    fn moments_are_of_the_grammar_and_of_the_calendar() {
        for good in [
            "2018-04-05T17:31:00Z",
            "1985-04-12T23:20:50.52Z",
            "1996-12-19T16:39:57-08:00",
            "1990-12-31T23:59:60Z",
            "1937-01-01T12:00:27.87+00:20",
            "2024-02-29t00:00:00z",
            "2024-01-01T00:00:00-00:00",
            "2024-01-01T00:00:00.1234567890123Z",
            "0000-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "9999-12-31T23:59:59.999-23:59",
            "0000-01-01T00:00:00+23:59",
        ] {
            assert!(is_moment(good), "{good}");
        }
        for bad in [
            "",
            "2018-04-05",
            "2018-04-05 17:31:00Z",
            "2018-04-05T17:31Z",
            "2018-04-05T17:31:00",
            "2018-04-05T17:31:00.Z",
            "2018-04-05T17:31:00+1:00",
            "2018-04-05T17:31:00+0100",
            "2018-04-05T17:31:00+24:00",
            "2018-04-05T17:31:00+01:60",
            "2018-04-05T24:00:00Z",
            "2018-13-01T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2018-04-05T17:31:00Z[UTC]",
            "+02018-04-05T17:31:00Z",
            "2018-04-05T17:31:0éZ",
        ] {
            assert!(!is_moment(bad), "{bad}");
        }
    }

    #[test]
    fn stamps_are_milliseconds_of_utc() {
        let of = |text: &str| stamp_of(text).unwrap().0;
        assert_eq!(of("1970-01-01T00:00:01.2349Z"), 1234);
        assert_eq!(of("1970-01-01T01:00:00+01:00"), 0);
        assert_eq!(of("1969-12-31T23:59:59Z"), 0);
        assert_eq!(text_of(Stamp(0)).unwrap(), "1970-01-01T00:00:00.000Z");
        assert_eq!(text_of(Stamp(1_795_448_921_070)).unwrap(), "2026-11-23T15:48:41.070Z");
        assert_eq!(of(&text_of(Stamp(1_795_448_921_070)).unwrap()), 1_795_448_921_070);
        assert!(of("9999-12-31T23:59:59Z") > of("9999-12-30T00:00:00Z"));
        assert_eq!(of("0000-01-01T00:00:00+23:59"), 0);
        assert_eq!(text_of(Stamp::MAX), None);
    }
}
