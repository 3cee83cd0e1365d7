//! The blob store of a log in memory.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use lineside_engine::blobs::{BlobFault, Blobs};

use super::storage::Shared;
use crate::blob::{check_len, check_name, damaged, io};

/// What becomes of a blob that is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutFault {
    /// Nothing is stored, and the caller is told so.
    Refused,
    /// The caller is told of a fault, and the blob is there all the same.
    StoredUnsaid,
    /// The caller is told that all is well, and the blob cannot be read.
    Damaged,
}

/// The blobs of one storage.
#[derive(Debug, Default)]
pub(super) struct BlobState {
    blobs: BTreeMap<String, Stored>,
    plan: VecDeque<PutFault>,
}

#[derive(Debug)]
struct Stored {
    content: Bytes,
    damaged: bool,
}

impl BlobState {
    /// The next put that has no plan yet goes so.
    pub(super) fn plan(&mut self, fault: PutFault) {
        self.plan.push_back(fault);
    }

    /// Damages a blob; whether there is one of the name.
    pub(super) fn damage(&mut self, name: &str) -> bool {
        let stored = self.blobs.get_mut(name);
        stored.map(|stored| stored.damaged = true).is_some()
    }

    /// Bytes of all blobs.
    pub(super) fn bytes(&self) -> u64 {
        self.blobs.values().map(|stored| stored.content.len() as u64).sum()
    }

    fn put(&mut self, name: &str, content: Bytes) -> Result<(), BlobFault> {
        let fault = self.plan.pop_front();
        if fault == Some(PutFault::Refused) {
            return Err(io(name, "the hand refused it"));
        }
        let stored = Stored { content, damaged: fault == Some(PutFault::Damaged) };
        self.blobs.insert(name.to_owned(), stored);
        if fault == Some(PutFault::StoredUnsaid) {
            return Err(io(name, "nobody knows whether it was stored"));
        }
        Ok(())
    }

    fn get(&self, name: &str) -> Result<Bytes, BlobFault> {
        match self.blobs.get(name) {
            None => Err(BlobFault::Missing(name.to_owned())),
            Some(Stored { damaged: true, .. }) => Err(damaged(name, "the hand damaged it")),
            Some(Stored { content, .. }) => Ok(content.clone()),
        }
    }
}

/// A connection to the blobs of a storage.
#[derive(Clone, Debug)]
pub(super) struct MemoryBlobs {
    pub(super) shared: Arc<Shared>,
}

impl MemoryBlobs {
    fn put_now(&self, name: &str, content: Bytes) -> Result<(), BlobFault> {
        check_name(name)?;
        check_len(name, content.len())?;
        match self.shared.reserve(content.len() as u64) {
            Ok(_room) => self.shared.blobs().put(name, content),
            Err(_) => Err(BlobFault::Full(name.to_owned())),
        }
    }

    fn list_now(&self, prefix: &str) -> Vec<String> {
        let state = self.shared.blobs();
        state.blobs.keys().filter(|name| name.starts_with(prefix)).cloned().collect()
    }
}

impl Blobs for MemoryBlobs {
    fn put(&self, name: &str, content: Bytes) -> BoxFuture<'_, Result<(), BlobFault>> {
        ready(self.put_now(name, content))
    }

    fn get(&self, name: &str) -> BoxFuture<'_, Result<Bytes, BlobFault>> {
        ready(check_name(name).and_then(|()| self.shared.blobs().get(name)))
    }

    fn list(&self, prefix: &str) -> BoxFuture<'_, Result<Vec<String>, BlobFault>> {
        ready(Ok(self.list_now(prefix)))
    }

    fn delete(&self, name: &str) -> BoxFuture<'_, Result<(), BlobFault>> {
        let deleted = check_name(name).map(|()| self.shared.blobs().blobs.remove(name));
        ready(deleted.map(drop))
    }
}

type Answer<T> = BoxFuture<'static, Result<T, BlobFault>>;

fn ready<T: Send + 'static>(answer: Result<T, BlobFault>) -> Answer<T> {
    std::future::ready(answer).boxed()
}
