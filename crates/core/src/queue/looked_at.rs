//! Counts the messages that decisions look at, for the tests of bounded turns.

use std::cell::Cell;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

/// One more message was looked at.
pub(crate) fn count_one() {
    COUNT.set(COUNT.get() + 1);
}

/// How many messages `decide` looks at, and what it gives.
pub(crate) fn counting<T>(decide: impl FnOnce() -> T) -> (usize, T) {
    let before = COUNT.get();
    let given = decide();
    (COUNT.get() - before, given)
}
