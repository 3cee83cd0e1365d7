//! The threads that fold: as many as there may be, and nobody waits for one for ever.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;

use crate::fault::{Cause, Fault};
use crate::fold::{Block, Folded, check_here, fold_here};
use crate::limits::{PLACE_PATIENCE, RUN_PATIENCE, THREAD_STACK_BYTES};
use crate::program::Program;

/// Folds on threads of its own. A clone shares its places.
#[derive(Clone, Debug)]
pub struct Folder {
    places: Arc<Semaphore>,
}

impl Folder {
    /// With so many threads at most, at least one.
    pub fn new(threads: usize) -> Folder {
        let places = threads.clamp(1, Semaphore::MAX_PERMITS);
        Folder { places: Arc::new(Semaphore::new(places)) }
    }

    /// As many threads as the machine has cores.
    pub fn of_all_cores() -> Folder {
        Folder::new(std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// Folds a block. A merge too: it may be of many MiB.
    pub async fn fold(&self, block: Block) -> Result<Folded, Fault> {
        self.on_a_thread(move || fold_here(&block)).await
    }

    /// Whether a program can be one.
    pub async fn check(&self, program: Program) -> Result<(), Fault> {
        self.on_a_thread(move || check_here(&program)).await
    }

    /// Does work on a thread; it is tens of microseconds until a new one begins, which is less than
    /// a script needs to be loaded, and none is left behind by what was folded on it before.
    async fn on_a_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let place = self.place().await?;
        let (tell, told) = oneshot::channel();
        let run = move || {
            let done = work();
            // The place is free before anybody can hear that the work is done.
            drop(place);
            drop(tell.send(done));
        };
        let thread = std::thread::Builder::new().name("fold".to_owned());
        let started = thread.stack_size(THREAD_STACK_BYTES).spawn(run);
        started.map_err(|error| Cause::NoThread(error.to_string()))?;
        match timeout(RUN_PATIENCE, told).await {
            Ok(Ok(done)) => done,
            Ok(Err(_)) => Err(Cause::NoThread("it panicked".to_owned()).into()),
            // Its place stays taken until it ends.
            Err(_) => Err(Cause::Stuck.into()),
        }
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit, Fault> {
        match timeout(PLACE_PATIENCE, self.places.clone().acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) | Err(_) => Err(Cause::Busy.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::fold::tests::{block, event};

    #[tokio::test]
    async fn work_is_done_on_a_thread_of_its_own() {
        let folder = Folder::new(1);
        let name = || Ok(std::thread::current().name().map(str::to_owned));
        assert_eq!(folder.on_a_thread(name).await, Ok(Some("fold".to_owned())));
        let folded = folder.fold(block(&Program::Merge, vec![event(1, &1.into())])).await;
        assert_eq!(folded.unwrap().state, "1");
        let none = folder.check(Program::JavaScript("export let x".into())).await;
        assert_eq!(none.unwrap_err().cause, Cause::NoEvolve);
    }

    #[tokio::test]
    async fn a_panic_costs_no_place() {
        let folder = Folder::new(1);
        for _ in 0..3 {
            let panicked = folder.on_a_thread(|| -> Result<(), Fault> { panic!("meant") }).await;
            assert!(matches!(panicked.unwrap_err().cause, Cause::NoThread(_)));
        }
        assert_eq!(folder.check(Program::Merge).await, Ok(()));
    }

    /// The clock of these runs by itself where nothing else can happen.
    #[tokio::test(start_paused = true)]
    async fn who_finds_no_place_waits_for_a_while_and_what_does_not_end_is_given_up() {
        let folder = Folder::new(1);
        let (go_on, wait) = channel::<()>();
        let stuck = folder.on_a_thread(move || Ok(wait.recv().is_ok())).await;
        assert_eq!(stuck, Err(Cause::Stuck.into()));
        assert_eq!(
            folder.check(Program::Merge).await,
            Err(Cause::Busy.into()),
            "it is taken still"
        );
        drop(go_on);
        drop(folder.places.acquire().await);
        tokio::time::resume();
        assert_eq!(folder.check(Program::Merge).await, Ok(()));
    }
}
