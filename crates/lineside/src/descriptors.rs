//! Descriptors: as many as this process may have, and how many of them connections may take. The log
//! opens files while it is written, so connections must never take the last.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Most connections at a time.
pub(crate) const CONNECTIONS_MAX: usize = 16_384;
/// Descriptors beside connections: segments, blobs, the runtime's own.
pub(crate) const FILES_BESIDE: u64 = 256;

/// How many descriptors this process may have once it has asked for more; `None` is no limit.
pub(crate) fn reachable() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // Beyond what connections take nothing is won, and a hard limit may be absurdly high.
    let wanted = CONNECTIONS_MAX as u64 + FILES_BESIDE;
    current.map(|current| current.max(maximum.unwrap_or(wanted).min(wanted)))
}

/// Asks for as many as are of use: shells and service managers begin with 1,024, which is for
/// programs that still use select(2).
pub(crate) fn raise() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    // If it is refused, the limit is what it was, and connections keep to that.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: reachable(), maximum });
}

/// Most connections under a limit of descriptors.
pub(crate) fn for_connections(limit: Option<u64>) -> usize {
    let Some(limit) = limit else { return CONNECTIONS_MAX };
    let left = limit.saturating_sub(FILES_BESIDE.min(limit / 2));
    usize::try_from(left).unwrap_or(CONNECTIONS_MAX).min(CONNECTIONS_MAX)
}

/// Most connections of this process as it is now.
pub(crate) fn connections_max() -> usize {
    for_connections(getrlimit(Resource::Nofile).current)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_to_the_log() {
        assert_eq!(for_connections(None), CONNECTIONS_MAX);
        assert_eq!(for_connections(Some(1 << 20)), CONNECTIONS_MAX);
        assert_eq!(for_connections(Some(16_640)), CONNECTIONS_MAX);
        assert_eq!(for_connections(Some(1024)), 768);
        assert_eq!(for_connections(Some(256)), 128);
        assert_eq!(for_connections(Some(0)), 0);
    }

    #[test]
    fn what_is_reachable_is_not_less_than_what_is_there() {
        let Some(reachable) = reachable() else { return };
        assert!(Some(reachable) >= getrlimit(Resource::Nofile).current);
        raise();
        assert_eq!(getrlimit(Resource::Nofile).current, Some(reachable));
    }
}
