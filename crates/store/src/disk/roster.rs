//! The segments that a directory holds, by their headers: all that a start reads of most of them.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use lineside_engine::log::LogFault;

use super::file::Disk;
use super::options::OpenError;
use super::segment::{self, Header, HeaderFault, Segment, damaged};
use super::shelf::walk_fault;
use super::sidecar;
use super::starts::Starts;
use super::survey::Survey;
use super::write::{BLOCK_BYTES, WriteHeader};

/// The segments of a log, ascending.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    /// Those whose headers are whole; what they say of the partitions is filled in.
    pub(crate) segments: Vec<Listed>,
    /// Those that are missing or whose header is damaged, by their last number.
    pub(crate) broken: BTreeMap<u64, Broken>,
    /// Files of segments that another stands for: a crash came before they were removed.
    leftovers: Vec<u64>,
}

/// A segment whose header is whole.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) header: Header,
    /// Where each partition stands at its beginning.
    pub(crate) starts: Starts,
    /// The first write behind it; `None` for the last.
    pub(crate) until: Option<Until>,
}

/// A segment whose header is damaged, or several in a row that are missing.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) fault: LogFault,
}

/// Where the writes of a segment end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Until {
    /// The first write of the next segment that is whole.
    pub(crate) write: u64,
    /// Whether that is the very next one, so that all before it are here.
    pub(crate) exact: bool,
}

impl Listed {
    /// Its number.
    pub(crate) fn number(&self) -> u64 {
        self.header.id.number
    }
}

/// What was found where a segment's header should be.
enum Look {
    Whole(Header),
    Broken(String),
}

impl Roster {
    /// Reads the headers of all segments.
    pub(crate) fn read(disk: &dyn Disk) -> Result<Roster, OpenError> {
        let names = disk.names().map_err(failed("listing the data directory"))?;
        let mut numbers: Vec<u64> = names.iter().filter_map(|name| segment::number(name)).collect();
        numbers.sort_unstable();
        let mut roster = Roster::default();
        let mut expected = 1;
        for number in numbers {
            if number < expected {
                roster.leftovers.push(number);
                continue;
            }
            roster.miss(disk, expected, number);
            expected = roster.take(disk, number)?.saturating_add(1);
        }
        roster.set_ends();
        roster.fill_in_starts(disk)?;
        Ok(roster)
    }

    /// Notes that the segments before `number` are missing, from `expected` on.
    fn miss(&mut self, disk: &dyn Disk, expected: u64, number: u64) {
        let last = number.saturating_sub(1);
        if expected <= last {
            let what = match expected == last {
                true => format!("segment {last} is missing"),
                false => format!("segments {expected} to {last} are missing"),
            };
            let place = disk.place(&segment::name(expected));
            let fault = LogFault::Damaged { place, what };
            self.broken.insert(last, Broken { from: expected, to: last, fault });
        }
    }

    /// Takes the segment with this number; the last one that it stands for.
    fn take(&mut self, disk: &dyn Disk, number: u64) -> Result<u64, OpenError> {
        let before = self.segments.last();
        let place = disk.place(&segment::name(number));
        let what = match self.look(disk, number)? {
            Look::Whole(header) => {
                let least = before.map_or(1, |before| before.header.first_write);
                let follows =
                    header.first_write >= least && (number > 1 || header.first_write == 1);
                if follows {
                    let through = header.through;
                    let starts = Starts::default();
                    self.segments.push(Listed { header, starts, until: None });
                    return Ok(through);
                }
                format!(
                    "the segment begins with write {}, which does not follow",
                    header.first_write
                )
            }
            Look::Broken(what) => what,
        };
        let fault = damaged(&place, 0, &what);
        self.broken.insert(number, Broken { from: number, to: number, fault });
        Ok(number)
    }

    fn look(&self, disk: &dyn Disk, number: u64) -> Result<Look, OpenError> {
        let name = segment::name(number);
        let place = disk.place(&name);
        let file = disk.open(&name).map_err(failed(&format!("opening {place}")))?;
        match Header::read(file.as_ref(), number) {
            Ok(header) => Ok(Look::Whole(header)),
            Err(HeaderFault::Broken(what)) => Ok(Look::Broken(what)),
            Err(HeaderFault::Newer(what)) => Err(OpenError::Newer { place, what }),
            Err(HeaderFault::Io(cause)) => {
                Err(OpenError::Io { what: format!("reading {place}"), cause })
            }
        }
    }

    fn set_ends(&mut self) {
        let mut next: Option<&Header> = None;
        for listed in self.segments.iter_mut().rev() {
            listed.until = next.map(|next| Until {
                write: next.first_write,
                exact: listed.header.through.saturating_add(1) == next.id.number,
            });
            next = Some(&listed.header);
        }
    }

    /// Where the partitions stand at the beginning of each segment: what it says itself, or else what
    /// the writes of the one before it add up to.
    fn fill_in_starts(&mut self, disk: &dyn Disk) -> Result<(), OpenError> {
        let mut before: Option<Listed> = None;
        for listed in &mut self.segments {
            listed.starts = match (&listed.header.starts, &before) {
                (Some(starts), _) => starts.clone(),
                (None, None) if listed.number() == 1 => Starts::default(),
                (None, None) => all_doubtful(Starts::default()),
                (None, Some(before)) => ends(disk, before)?,
            };
            before = Some(listed.clone());
        }
        Ok(())
    }

    /// Removes what a crash left: files that were not finished, segments that another stands for,
    /// indexes without a segment.
    pub(crate) fn tidy(&self, disk: &dyn Disk) -> io::Result<()> {
        let kept = |number: u64| self.segments.iter().any(|listed| listed.number() == number);
        for name in disk.names()? {
            let unfinished = segment::is_unfinished(&name) || sidecar::is_unfinished(&name);
            let leftover = segment::number(&name).is_some_and(|n| self.leftovers.contains(&n));
            let orphan = sidecar::number(&name).is_some_and(|n| !kept(n));
            if unfinished || leftover || orphan {
                disk.remove(&name)?;
            }
        }
        Ok(())
    }
}

/// The header of a segment whose own is damaged, from what stands elsewhere: the partitions stand
/// where the segment before it ends, so its first write is where they leave it, and has its salt.
/// Nothing else is believed: bytes that a client sent might look like a write.
pub(crate) fn salvage(
    disk: &dyn Disk,
    broken: &Broken,
    starts: &Starts,
) -> Result<Option<Header>, OpenError> {
    let place = disk.place(&segment::name(broken.to));
    let doing = format!("reading {place}");
    let file = match disk.open(&segment::name(broken.to)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(failed(&doing))?,
    };
    // The first build wrote no table.
    for starts in [Some(starts), None] {
        let mut header = Header::new(broken.to, 1, Starts::default());
        header.starts = starts.cloned();
        header.first_offset = header.encode().len() as u64;
        let mut block = [0; BLOCK_BYTES];
        file.read_at(&mut block, header.first_offset).map_err(failed(&doing))?;
        let write = WriteHeader::decode(&block).ok();
        if let Some(write) = write.filter(|write| write.segment.number == broken.to) {
            header.id = write.segment;
            (header.first_write, header.rewritten) = (write.number, write.kind.is_rewritten());
            return Ok(Some(header));
        }
    }
    Ok(None)
}

fn all_doubtful(mut starts: Starts) -> Starts {
    starts.doubt_all();
    starts
}

/// Where the partitions stand behind a segment that is not the last.
fn ends(disk: &dyn Disk, listed: &Listed) -> Result<Starts, OpenError> {
    let place = disk.place(&segment::name(listed.number()));
    let segment = Segment::open(disk, listed.number());
    let segment = Arc::new(segment.map_err(|fault| header_fault(&place, fault))?);
    let Some(until) = listed.until else { return Ok(listed.starts.clone()) };
    let survey = Survey::of_sealed(&segment, until, listed.starts.clone(), false);
    let (survey, _) = survey.map_err(|fault| walk_fault(&segment, fault))?;
    Ok(if until.exact { survey.tails } else { all_doubtful(survey.tails) })
}

/// Why a segment that was there a moment ago cannot be opened.
pub(crate) fn header_fault(place: &str, fault: HeaderFault) -> OpenError {
    match fault {
        HeaderFault::Io(cause) => OpenError::Io { what: format!("reading {place}"), cause },
        HeaderFault::Broken(what) => damaged(place, 0, &what).into(),
        HeaderFault::Newer(what) => OpenError::Newer { place: place.to_owned(), what },
    }
}

/// What was tried when the system refused something.
pub(crate) fn failed(what: &str) -> impl FnOnce(io::Error) -> OpenError + use<> {
    let what = what.to_owned();
    move |cause| OpenError::Io { what, cause }
}
