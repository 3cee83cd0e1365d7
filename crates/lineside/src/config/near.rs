//! Which known word somebody meant.

/// The known word that is most like the given one, and how much it is, from 0 to 1.
pub(crate) fn nearest<'a>(
    given: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<(&'a str, f64)> {
    let given = plain(given);
    let likeness = |word: &'a str| (word, strsim::jaro_winkler(&given, &plain(word)));
    known.into_iter().map(likeness).max_by(|one, other| one.1.total_cmp(&other.1))
}

/// Case, hyphens and underscores are not what a word is told by: `VisibilityTimeout` and
/// `visibility-timeout` are both near to `visibility_seconds`.
fn plain(word: &str) -> String {
    let letters = word.chars().filter(|letter| !matches!(letter, '_' | '-'));
    letters.take(64).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::super::table::{self, KEYS};
    use super::*;

    fn near(given: &str) -> &'static str {
        nearest(given, KEYS.iter().map(|key| key.name)).unwrap().0
    }

    #[test]
    fn a_slip_of_the_hand_is_understood() {
        assert_eq!(near("listn"), "listen");
        assert_eq!(near("que"), "queues");
        assert_eq!(near("inboxRequests"), "inbox_requests");
        assert_eq!(near("ready-file"), "ready_file");
    }

    #[test]
    fn the_clouds_names_lead_to_ours() {
        let queues = table::KEYS.iter().find(|key| key.name == "queues").unwrap();
        let near = |given| nearest(given, queues.form.keys().iter().map(|key| key.name)).unwrap().0;
        assert_eq!(near("VisibilityTimeout"), "visibility_seconds");
        assert_eq!(near("visibility"), "visibility_seconds");
        assert_eq!(near("MaximumMessageSize"), "max_message_bytes");
        assert_eq!(near("dlq"), "dead_letter");
        assert_eq!(near("ContentBasedDeduplication"), "content_deduplication");
    }
}
