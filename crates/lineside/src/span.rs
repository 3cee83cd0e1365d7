//! Spans of time as people write them: `90s`, `5m`, `2h`, `14d`, `250ms`.

use lineside_core::stamp::Millis;

/// Longest span that time may be moved by at once: ten years.
const SPAN_MAX: Millis = Millis::seconds(10 * 366 * 86_400);

/// Reads a span; the error says what is allowed.
pub(crate) fn parse(text: &str) -> Result<Millis, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).unwrap_or((text, ""));
    let millis_per_unit = match unit {
        "ms" => Some(1),
        "s" => Some(1000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        "d" => Some(86_400_000),
        _ => None,
    };
    let span = number.parse::<u64>().ok().zip(millis_per_unit);
    let span = span.and_then(|(number, unit)| number.checked_mul(unit)).map(Millis);
    span.filter(|span| *span <= SPAN_MAX).ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        format!(
            "{shown:?} is no span of time: write a whole number and ms, s, m, h or d, up to ten years"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_each_unit() {
        assert_eq!(parse("250ms"), Ok(Millis(250)));
        assert_eq!(parse("90s"), Ok(Millis::seconds(90)));
        assert_eq!(parse("5m"), Ok(Millis::seconds(300)));
        assert_eq!(parse("2h"), Ok(Millis::seconds(7200)));
        assert_eq!(parse("14d"), Ok(Millis::seconds(14 * 86_400)));
    }

    #[test]
    fn refuses_what_is_no_span() {
        for text in ["", "5", "-5s", "5 m", "5y", "1.5h", "99999999999999999999s", "4000000d", "ms"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
