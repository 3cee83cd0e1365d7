//! What one sync costs here and now.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

/// Milliseconds of the median of 31 appends of 4 KiB, each with its fdatasync.
pub(crate) fn probe(directory: &Path) -> anyhow::Result<f64> {
    let path = directory.join("probe");
    let mut file = File::create(&path)?;
    let mut times = Vec::new();
    for _ in 0..31 {
        let start = Instant::now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        times.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    std::fs::remove_file(path)?;
    times.sort_by(f64::total_cmp);
    Ok(times.get(times.len() / 2).copied().unwrap_or(f64::NAN))
}
