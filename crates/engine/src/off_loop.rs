//! Work that may wait for the disk, where it holds up nobody.

use tokio::task::JoinError;

/// Does the work on a thread that may wait. Without a runtime there is nobody to hold up.
pub(crate) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, JoinError> {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => runtime.spawn_blocking(work).await,
        Err(_) => Ok(work()),
    }
}
