//! Bytes that are not what was written.

use super::disk::{Chance, TestDisk};
use super::world::{Log, check, open};
use crate::fault::Fault;
use crate::page::{PAGE_BYTES, PAYLOAD_BYTES};

const EVENTS: usize = 700;

fn filled() -> (Log, TestDisk) {
    let (log, disk) = (Log::by_chance(21, EVENTS), TestDisk::default());
    let index = open(&disk).unwrap();
    log.fill(&index, EVENTS).unwrap();
    index.flush().unwrap();
    assert_eq!(index.durable_end().0, EVENTS as u64);
    (log, disk)
}

fn runs(disk: &TestDisk) -> Vec<String> {
    let names = disk.files().names().unwrap();
    names.into_iter().filter(|name| name.ends_with(".run")).collect()
}

/// Opens what is left, asks it everything, lets it repair itself and be filled again. Says whether
/// something was noticed. A wrong answer fails in between.
fn is_noticed(log: &Log, disk: &TestDisk, seed: u64) -> bool {
    let index = open(disk).unwrap();
    let mut noticed = !index.take_dropped().is_empty();
    match check(log, &index.snapshot(), seed) {
        Ok(()) => {}
        Err(Fault::Damaged(_)) => {
            assert_eq!(index.work(), Some(crate::Work::Repair));
            index.repair().unwrap();
            let told = index.take_dropped();
            assert!(told[0].file.ends_with(".run"), "{told:?}");
            noticed = true;
        }
        Err(other) => panic!("{other}"),
    }
    log.fill(&index, EVENTS).unwrap();
    index.flush().unwrap();
    assert_eq!(index.durable_end().0, EVENTS as u64);
    check(log, &index.snapshot(), seed).unwrap();
    noticed
}

#[test]
fn a_flipped_bit_is_noticed_and_never_believed() {
    let (log, disk) = filled();
    let mut chance = Chance(3);
    let (mut noticed, mut all) = (0, 0);
    for name in runs(&disk) {
        let bytes = disk.bytes(&name);
        for at in (0..bytes.len()).step_by(307) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << chance.below(8);
            all += 1;
            noticed += u64::from(is_noticed(&log, &disk.with(&name, flipped), at as u64));
        }
    }
    // Every page is read by the merges at the latest, if not by a question.
    assert!(all > 150 && noticed > all * 9 / 10, "{noticed} of {all}");
}

#[test]
fn each_flipped_bit_of_a_page_is_seen() {
    let (_, disk) = filled();
    let bytes = disk.bytes(&runs(&disk)[0]);
    let id = crate::run::id(&runs(&disk)[0]).unwrap();
    let page = &bytes[PAGE_BYTES..2 * PAGE_BYTES];
    assert!(crate::page::payload(page, id, 1).is_some());
    assert!(crate::page::payload(page, id, 2).is_none(), "a page in another's place");
    assert!(crate::page::payload(page, id + 1, 1).is_none(), "a page of another run");
    for bit in 0..PAGE_BYTES * 8 {
        let mut flipped = page.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(crate::page::payload(&flipped, id, 1).is_none(), "bit {bit}");
    }
}

#[test]
fn a_run_that_is_cut_missing_or_another_is_noticed() {
    let (log, disk) = filled();
    let names = runs(&disk);
    assert!(names.len() > 1, "{names:?}");
    for name in &names {
        let bytes = disk.bytes(name);
        for pages in 0..bytes.len() / PAGE_BYTES {
            let cut = disk.with(name, bytes[..pages * PAGE_BYTES].to_vec());
            assert!(is_noticed(&log, &cut, 1), "{name} cut at page {pages}");
        }
        let longer = [bytes.as_slice(), &[0; PAGE_BYTES]].concat();
        assert!(is_noticed(&log, &disk.with(name, longer), 1));
        let missing = disk.with(name, Vec::new());
        missing.files().remove(name).unwrap();
        assert!(is_noticed(&log, &missing, 1));
    }
    let other = disk.with(&names[0], disk.bytes(&names[1]));
    assert!(is_noticed(&log, &other, 1));
}

#[test]
fn a_damaged_manifest_or_one_of_another_log_is_an_empty_index() {
    let (log, disk) = filled();
    let mut bytes = disk.bytes("manifest");
    bytes[9] ^= 1;
    let damaged = disk.with("manifest", bytes);
    let index = open(&damaged).unwrap();
    assert_eq!((index.end().0, runs(&damaged).len()), (0, 0));
    assert_eq!(index.take_dropped()[0].file, "manifest");
    assert!(is_noticed(&log, &disk.with("manifest", Vec::new()), 1));
    let another = crate::Options::new([8; 16]);
    let index = crate::Index::open(disk.files(), another).unwrap();
    assert!(index.take_dropped()[0].why.contains("another log"));
    assert_eq!(index.end().0, 0);
}

/// Whoever can write a checksum can write nonsense under it. The answers are nonsense then, or
/// refused, and that is all.
#[test]
fn nonsense_with_a_good_checksum_breaks_nothing() {
    let (_, disk) = filled();
    let mut chance = Chance(17);
    for name in runs(&disk) {
        let id = crate::run::id(&name).unwrap();
        let bytes = disk.bytes(&name);
        for _ in 0..100 {
            let mut changed = bytes.clone();
            let page = chance.below((bytes.len() / PAGE_BYTES) as u64) as usize;
            let from = page * PAGE_BYTES;
            for _ in 0..1 + chance.below(6) {
                // The beginning of a page is where its numbers are.
                let reach = [40, 400, PAYLOAD_BYTES as u64][chance.below(3) as usize];
                let at = chance.below(reach);
                changed[from + at as usize] = chance.below(256) as u8;
            }
            let payload = changed[from..from + PAYLOAD_BYTES].to_vec();
            let sealed = crate::page::seal(payload, id, page as u32);
            changed[from..from + PAGE_BYTES].copy_from_slice(&sealed);
            ask_anything(&disk.with(&name, changed));
        }
    }
}

fn ask_anything(disk: &TestDisk) {
    use lineside_core::id::{EventNumber, QueueId, Version};
    let index = open(disk).unwrap();
    let snapshot = index.snapshot();
    let store = QueueId(1);
    let _ = (1..700).try_for_each(|n| snapshot.get(EventNumber(n)).map(drop));
    let _ = (0..11).try_for_each(|n| snapshot.version(store, &format!("order-{n}")).map(drop));
    let _ = (0..99).try_for_each(|n| snapshot.number_of(store, "order-1", Version(n)).map(drop));
    let mut chance = Chance(1);
    for order in [crate::Order::OldestFirst, crate::Order::NewestFirst] {
        for _ in 0..6 {
            let query = super::world::query_by_chance(&mut chance);
            let (from, to) = (EventNumber(1), EventNumber(u64::MAX));
            let (limit, budget) = (5_000, 50_000);
            let _ =
                snapshot.find(&crate::Ask { store, query: &query, from, to, order, limit, budget });
        }
    }
    let _ = index.merge(&|| true);
}
