//! The data directory's own file beside the log: the key that receipts are sealed under.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, bail};
use lineside_core::receipt::ReceiptKey;

/// A key for a server that keeps nothing.
pub(crate) fn fresh_key() -> anyhow::Result<ReceiptKey> {
    Ok(ReceiptKey::new(random()?))
}

/// The directory's key; made, durably, when there is none yet.
pub(crate) fn key(directory: &Path) -> anyhow::Result<ReceiptKey> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(directory).with_context(|| format!("cannot make {}", directory.display()))?;
    let path = directory.join("receipt.key");
    match std::fs::read(&path) {
        Ok(bytes) => match bytes.try_into() {
            Ok(bytes) => Ok(ReceiptKey::new(bytes)),
            Err(_) => bail!("{} is not 16 bytes long; restore it from a backup", path.display()),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let made = make_key(directory, &path);
            made.with_context(|| format!("cannot make {}", path.display()))
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

fn make_key(directory: &Path, path: &Path) -> anyhow::Result<ReceiptKey> {
    let bytes = random()?;
    let new = path.with_extension("new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    File::open(directory)?.sync_all()?;
    Ok(ReceiptKey::new(bytes))
}

fn random() -> anyhow::Result<[u8; 16]> {
    let mut bytes = [0; 16];
    let read = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes));
    read.context("cannot read /dev/urandom")?;
    Ok(bytes)
}
