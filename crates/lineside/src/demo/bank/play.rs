//! The year happens, over the wire: a day is booked, raced for, and over.

use anyhow::{Context, bail};
use jiff::{SignedDuration, Timestamp};
use lineside_client::{Append, Client, Expected, NewEvent};

use super::ledger::{Account, Transaction};
use super::plan::Plan;
use super::race::{Raced, Racers};
use super::report::Progress;
use super::view;

/// Most events of one append that the server takes.
const EVENTS_MAX: usize = 1000;
/// So many accounts one append opens.
const OPENED_AT_ONCE: usize = 100;
/// When the bank opens, hours after midnight UTC. The whole story takes seconds of real time, which
/// come on top of what the clock is moved by; they must not reach the next day.
const OPENS: i64 = 9;
/// When it has closed.
const CLOSED: i64 = 21;

/// What happened.
#[derive(Debug)]
pub(super) struct Played {
    /// Midnight before the bank opened for the first time.
    pub(super) begin: Timestamp,
    /// The first and the last number of each append, in their order.
    pub(super) appends: Vec<(u64, u64)>,
    /// How each race went.
    pub(super) raced: Vec<Raced>,
}

impl Played {
    /// The evening of a day, when all of it has happened and nothing of the next one has.
    pub(super) fn evening(&self, day: u32) -> Timestamp {
        self.begin + SignedDuration::from_hours(24 * i64::from(day) + CLOSED)
    }
}

/// Plays all of it, and shows how far it is.
pub(super) async fn play(
    client: &Client,
    plan: &Plan,
    progress: &mut Progress,
) -> anyhow::Result<Played> {
    let begin = next_morning(client).await?;
    let mut bank = Bank { client, appends: Vec::new(), raced: Vec::new() };
    let model = view::define(client).await?;
    bank.note(model, model)?;
    bank.open(plan).await?;
    let racers = Racers::new(client.endpoint())?;
    for (number, day) in (0..).zip(&plan.days) {
        if number > 0 {
            client.advance("24h").await?;
        }
        bank.book(&day.bookings).await?;
        if let Some(race) = &day.race {
            bank.take(racers.run(race).await?);
        }
        progress.show(number + 1)?;
    }
    progress.end()?;
    let Bank { appends, raced, .. } = bank;
    Ok(Played { begin, appends, raced })
}

/// Moves time to the next morning, and says when its day began.
async fn next_morning(client: &Client) -> anyhow::Result<Timestamp> {
    let now = client.advance("1ms").await?;
    let day = SignedDuration::from_hours(24).as_millis();
    let now = i128::from(now);
    let midnight = now - now % day + day;
    let opens = midnight + SignedDuration::from_hours(OPENS).as_millis();
    client.advance(&format!("{}ms", opens - now)).await?;
    let begin = i64::try_from(midnight).context("the clock is out of all bounds")?;
    Ok(Timestamp::from_millisecond(begin)?)
}

struct Bank<'a> {
    client: &'a Client,
    appends: Vec<(u64, u64)>,
    raced: Vec<Raced>,
}

impl Bank<'_> {
    /// Opens the accounts; each of them must be new.
    async fn open(&mut self, plan: &Plan) -> anyhow::Result<()> {
        let opened = |(number, limit): (u32, &i64)| Account::Customer(number).opened(*limit);
        let events: Vec<NewEvent> = (1..).zip(&plan.limits).map(opened).collect();
        for some in events.chunks(OPENED_AT_ONCE) {
            let streams = some.iter().filter_map(|event| event.stream.clone());
            let append = streams
                .fold(Append::of(some), |append, stream| append.expect_of(stream, Expected::Empty));
            self.append(&append).await?;
        }
        Ok(())
    }

    /// Books a day in as few appends as the server takes. A transaction is never divided.
    async fn book(&mut self, bookings: &[Transaction]) -> anyhow::Result<()> {
        for some in bookings.chunks(EVENTS_MAX / 2) {
            let events: Vec<NewEvent> = some.iter().flat_map(Transaction::events).collect();
            self.append(&Append::of(events)).await?;
        }
        Ok(())
    }

    async fn append(&mut self, append: &Append) -> anyhow::Result<()> {
        let appended = self.client.append(append).await?;
        self.note(appended.first, appended.last)
    }

    fn note(&mut self, first: u64, last: u64) -> anyhow::Result<()> {
        let newest = self.appends.last().map_or(0, |(_, last)| *last);
        if first != newest + 1 {
            bail!("an append begins with event {first}, and the one before ended with {newest}");
        }
        self.appends.push((first, last));
        Ok(())
    }

    fn take(&mut self, raced: Raced) {
        let mut appends = raced.appends.clone();
        appends.sort_unstable();
        self.appends.extend(appends);
        self.raced.push(raced);
    }
}
