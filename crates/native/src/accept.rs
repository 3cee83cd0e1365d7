//! The header Accept (RFC 9110, section 12.5.1).

/// What a client takes: media ranges in lower case without their parameters, and how much it likes
/// each, in thousandths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Accept(Vec<(String, u16)>);

impl Accept {
    /// Reads a value; what is malformed in it is left out, as one who asks in an odd way still
    /// wants an answer.
    pub(crate) fn read(value: &str) -> Accept {
        Accept(value.split(',').filter_map(range).collect())
    }

    /// What it likes most of what is offered; of equals, the first. All, if it says nothing.
    pub(crate) fn choose<T: Copy>(&self, offers: &[(&str, T)]) -> Option<T> {
        if self.0.is_empty() {
            return offers.first().map(|(_, offer)| *offer);
        }
        let mut best: Option<(u16, T)> = None;
        for (name, offer) in offers {
            let quality = self.quality(name);
            if quality > best.map_or(0, |(quality, _)| quality) {
                best = Some((quality, *offer));
            }
        }
        best.map(|(_, offer)| offer)
    }

    /// How much it likes a media type: what its most specific range says.
    fn quality(&self, media_type: &str) -> u16 {
        let kind = media_type.split_once('/').map_or("", |(kind, _)| kind);
        let ranges = [media_type.to_owned(), format!("{kind}/*"), "*/*".to_owned()];
        let of = |range: &String| self.0.iter().find(|(name, _)| name == range);
        ranges.iter().find_map(of).map_or(0, |(_, quality)| *quality)
    }
}

fn range(text: &str) -> Option<(String, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let range = parts.next().filter(|range| range.contains('/'))?.to_ascii_lowercase();
    let quality = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
    let quality = quality.map_or(Some(1000), thousandths)?;
    Some((range, quality))
}

/// `1`, `0.5`, `0.001` (section 12.4.2).
fn thousandths(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let fraction: u16 = format!("{fraction:0<3}").parse().ok().filter(|_| digits)?;
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFERS: [(&str, u8); 3] =
        [("application/json", 1), ("application/x-ndjson", 2), ("text/a", 3)];

    fn choose(value: &str) -> Option<u8> {
        Accept::read(value).choose(&OFFERS)
    }

    /// RFC 9110, sections 12.4.2 and 12.5.1.
    #[test]
    fn the_most_liked_of_what_is_offered_is_chosen() {
        for (value, chosen) in [
            ("", Some(1)),
            ("*/*", Some(1)),
            ("text/*", Some(3)),
            ("application/x-ndjson", Some(2)),
            ("Application/X-NDJSON; charset=utf-8", Some(2)),
            ("application/json;q=0.5, application/x-ndjson;q=0.8", Some(2)),
            ("application/json;q=0, */*", Some(2)),
            ("*/*;q=0.1, text/a;q=0.2", Some(3)),
            ("text/html", None),
            ("*/*;q=0", None),
            ("text/html, application/*;q=0.001", Some(1)),
            ("text/a;q=2, application/x-ndjson;q=0.1", Some(2)),
        ] {
            assert_eq!(choose(value), chosen, "{value}");
        }
    }
}
