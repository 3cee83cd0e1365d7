//! Wakes everybody who waits for something to have changed.

use tokio::sync::Notify;

/// Rung after each change. Waiters are woken in the order in which they came, which keeps a
/// simulation the same from run to run (`tokio::sync::watch` picks among its wait lists by chance).
#[derive(Debug, Default)]
pub(crate) struct Bell {
    notify: Notify,
}

impl Bell {
    /// Something changed.
    pub(crate) fn ring(&self) {
        self.notify.notify_waiters();
    }

    /// Waits until `look` finds something. It looks at once, and again after each ring.
    pub(crate) async fn wait_for<T>(&self, mut look: impl FnMut() -> Option<T>) -> T {
        loop {
            // Made before the look, so that a ring between the look and the wait is not missed.
            let ring = self.notify.notified();
            if let Some(found) = look() {
                return found;
            }
            ring.await;
        }
    }
}
