//! Work that may wait for the disk or take long, where it holds up nobody.
//!
//! Not on the runtime's threads for what blocks: where the machine has no thread left, asking for
//! one of those panics in the middle of a request, and the sentence is the runtime's.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::sync::oneshot;

/// How much may wait for the disk at once. A read of a cached page takes microseconds and one from
/// a solid-state disk a tenth of a millisecond: four keep up with what one loop hands out.
const THREADS: usize = 4;

type Work = Box<dyn FnOnce() + Send>;

/// There from the first use on, and until the process ends.
static THREADS_THAT_WAIT: OnceLock<Sender<Work>> = OnceLock::new();

/// Why work was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OffLoopFault {
    /// It panicked; what it said is on stderr.
    #[error("the thread that was at it panicked")]
    Panicked,
    /// The machine has no thread left.
    #[error("no thread for it could be started: {0}")]
    NoThread(String),
}

/// Does work of some milliseconds on one of a few threads that are shared. Without a runtime there
/// is nobody to hold up; and where no thread can be had, holding others up is better than not doing
/// it.
pub async fn off_loop<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, OffLoopFault> {
    let Some(threads) = tokio::runtime::Handle::try_current().ok().and_then(|_| threads()) else {
        return Ok(work());
    };
    let (tell, told) = oneshot::channel();
    // The other end is a thread that never ends.
    drop(threads.send(Box::new(move || drop(tell.send(work())))));
    told.await.map_err(|_| OffLoopFault::Panicked)
}

/// Does work of any length on a thread of its own, which is named so.
pub async fn on_own_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, OffLoopFault> {
    let (tell, told) = oneshot::channel();
    let thread = std::thread::Builder::new().name(name.to_owned());
    let started = thread.spawn(move || drop(tell.send(work())));
    started.map_err(|error| OffLoopFault::NoThread(error.to_string()))?;
    told.await.map_err(|_| OffLoopFault::Panicked)
}

fn threads() -> Option<&'static Sender<Work>> {
    if let Some(threads) = THREADS_THAT_WAIT.get() {
        return Some(threads);
    }
    let (give, take) = channel();
    let take = Arc::new(Mutex::new(take));
    let started = (0..THREADS).filter(|_| start(take.clone())).count();
    (started > 0).then(|| THREADS_THAT_WAIT.get_or_init(|| give))
}

fn start(take: Arc<Mutex<Receiver<Work>>>) -> bool {
    let thread = std::thread::Builder::new().name("off-loop".to_owned());
    thread.spawn(move || while serve_one(&take) {}).is_ok()
}

/// Waits for work and does it; false when there will be none.
fn serve_one(take: &Mutex<Receiver<Work>>) -> bool {
    let work = take.lock().unwrap_or_else(PoisonError::into_inner).recv();
    let Ok(work) = work else { return false };
    // What panics has said so, and takes no thread with it.
    drop(catch_unwind(AssertUnwindSafe(work)));
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_is_done_elsewhere_and_a_panic_costs_no_thread() {
        let here = std::thread::current().id();
        for _ in 0..2 * THREADS {
            assert_eq!(off_loop(|| panic!("meant")).await, Err::<(), _>(OffLoopFault::Panicked));
        }
        assert_ne!(off_loop(|| std::thread::current().id()).await, Ok(here));
    }

    #[test]
    fn without_a_runtime_it_is_done_here() {
        let here = std::thread::current().id();
        let done = futures::FutureExt::now_or_never(off_loop(|| std::thread::current().id()));
        assert_eq!(done, Some(Ok(here)));
    }

    #[tokio::test]
    async fn a_thread_of_its_own_has_its_name() {
        let name = || std::thread::current().name().map(str::to_owned);
        assert_eq!(on_own_thread("open", name).await, Ok(Some("open".to_owned())));
        let panicked = on_own_thread("open", || panic!("meant")).await;
        assert_eq!(panicked, Err::<(), _>(OffLoopFault::Panicked));
    }
}
