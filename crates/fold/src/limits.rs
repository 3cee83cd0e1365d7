//! What a fold may take, on one page. A module comes from whoever may define models, and what it
//! does is known only once it has done it.

use std::time::Duration;

/// Most bytes of a module's text.
pub const SOURCE_BYTES_MAX: usize = 256 << 10;

/// Most bytes of memory of a script, its state and the events that it was given included.
pub const MEMORY_BYTES_MAX: usize = 64 << 20;

/// Most bytes of a script's stack.
pub const STACK_BYTES_MAX: usize = 512 << 10;

/// Bytes of the stack of a thread that folds: far more than a script may take, since what the
/// interpreter calls beyond its last look at the limit takes some too.
pub(crate) const THREAD_STACK_BYTES: usize = 4 << 20;

/// Most processor time that one question may cost, over all of its events. Not a clock's time: who
/// shares the machine with others is not at fault for them.
pub const TIME_MAX: Duration = Duration::from_secs(2);

/// Most bytes of a state as JSON.
pub const STATE_BYTES_MAX: usize = 1 << 20;

/// How deep arrays and objects of a state may be nested: what is deeper the common parsers refuse.
pub const DEPTH_MAX: usize = 128;

/// Most milliseconds, by the clock, that a fold waits for a place on a thread.
pub const PLACE_PATIENCE: Duration = Duration::from_secs(5);

/// After so long by the clock a fold is given up, although its thread goes on: it is in the middle
/// of something that the interpreter does not interrupt, or the machine does not get to it.
pub const RUN_PATIENCE: Duration = Duration::from_secs(20);
