//! A simulation's trace: one readable line for each change. All lines go into a hash, by which two
//! runs are compared; they are printed only when somebody wants to read them.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

/// The trace, and the counts of what happened.
#[derive(Clone, Debug)]
pub struct Journal {
    hash: Fnv,
    lines: Option<Vec<String>>,
    counts: BTreeMap<&'static str, u64>,
}

impl Journal {
    /// An empty one; `readable`: it keeps its lines.
    pub fn new(readable: bool) -> Journal {
        let lines = readable.then(Vec::new);
        Journal { hash: Fnv(0xcbf2_9ce4_8422_2325), lines, counts: BTreeMap::new() }
    }

    /// Writes a line.
    pub fn line(&mut self, line: fmt::Arguments<'_>) {
        if let Some(lines) = &mut self.lines {
            lines.push(line.to_string());
        }
        let written = self.hash.write_fmt(line);
        assert!(written.is_ok(), "writing to a hash cannot fail");
    }

    /// Takes bytes into the hash that make no line.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.hash.take(bytes);
    }

    /// Counts something.
    pub fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// The hash of all that was written.
    pub fn hash(&self) -> u64 {
        self.hash.0
    }

    /// How often what happened.
    pub fn counts(&self) -> &BTreeMap<&'static str, u64> {
        &self.counts
    }

    /// The lines, if they were kept.
    pub fn lines(&self) -> &[String] {
        self.lines.as_deref().unwrap_or_default()
    }
}

/// FNV-1a over words of eight bytes: quick, and good enough to tell two runs apart.
#[derive(Clone, Copy, Debug)]
struct Fnv(u64);

impl Fnv {
    fn take(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let word =
                chunk.iter().fold(chunk.len() as u64, |word, byte| word << 8 | u64::from(*byte));
            self.0 = (self.0 ^ word).wrapping_mul(0x100_0000_01b3);
            self.0 ^= self.0 >> 29;
        }
    }
}

impl Write for Fnv {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.take(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(lines: &[&str]) -> u64 {
        let mut journal = Journal::new(false);
        lines.iter().for_each(|line| journal.line(format_args!("{line}")));
        journal.hash()
    }

    #[test]
    fn every_letter_counts() {
        assert_eq!(hash(&["one", "two"]), hash(&["one", "two"]));
        let others = [&["one", "twp"][..], &["two", "one"], &["onet", "wo"], &["one"]];
        others.into_iter().for_each(|other| assert_ne!(hash(&["one", "two"]), hash(other)));
    }
}
