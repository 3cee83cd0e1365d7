//! Lists in pages: `MaxItems` and `Marker` (API reference, "Common parameters" of the lists).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::invalid;
use crate::protocol::WireError;

/// How many a page has when nothing is said (API reference, MaxItems).
const ITEMS: usize = 100;

/// A page of what has names, in their order.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) truncated: bool,
    pub(super) marker: Option<String>,
}

/// The page that is asked for, of all in the order of their keys.
pub(super) fn page<'a, T>(
    all: impl Iterator<Item = (&'a String, T)>,
    most: Option<i32>,
    marker: Option<&str>,
) -> Result<Page<T>, WireError> {
    let most = match most {
        None => ITEMS,
        Some(most @ 1..=1000) => usize::try_from(most).unwrap_or(ITEMS),
        Some(most) => {
            let rule = "value less than or equal to 1000";
            return Err(invalid("maxItems", &most.to_string(), rule));
        }
    };
    let after = marker.map(open).transpose()?;
    let mut rest =
        all.filter(|(key, _)| after.as_ref().is_none_or(|after| *key > after)).peekable();
    let (mut items, mut last) = (Vec::new(), None);
    while items.len() < most
        && let Some((key, item)) = rest.next()
    {
        items.push(item);
        last = Some(key);
    }
    let truncated = rest.peek().is_some();
    let marker = last.filter(|_| truncated).map(|last| URL_SAFE_NO_PAD.encode(last));
    Ok(Page { items, truncated, marker })
}

fn open(marker: &str) -> Result<String, WireError> {
    let bytes = URL_SAFE_NO_PAD.decode(marker).ok();
    let key = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    key.ok_or_else(|| invalid("marker", marker, "that a list returned it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_one_another_and_have_all() {
        let names: Vec<String> = (0..7).map(|n| format!("n{n}")).collect();
        let all = || names.iter().map(|name| (name, name.as_str()));
        let (mut seen, mut marker) = (Vec::new(), None);
        loop {
            let Ok(found) = page(all(), Some(3), marker.as_deref()) else {
                panic!("its own marker")
            };
            seen.extend(found.items);
            assert_eq!(found.truncated, found.marker.is_some());
            marker = found.marker;
            if marker.is_none() {
                break;
            }
        }
        assert_eq!(seen, ["n0", "n1", "n2", "n3", "n4", "n5", "n6"]);
        assert!(page(all(), Some(0), None).is_err() && page(all(), None, Some("?")).is_err());
    }
}
