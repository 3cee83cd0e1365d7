//! Races: several clients want the same money, and each looks, decides, and appends under the
//! condition that nothing has changed since it looked.

use anyhow::Context;
use lineside_client::{Append, Client, ClientError, Expected};
use serde_json::json;
use tokio::task::JoinSet;

use super::plan::{RIVALS, Race};
use super::view;

/// Clients with connections of their own.
#[derive(Debug)]
pub(super) struct Racers(Vec<Client>);

/// How a race went.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Raced {
    /// Transfers that were made.
    pub(super) made: u32,
    /// Clients that found too little.
    pub(super) declined: u32,
    /// Appends that were refused because somebody had been faster, and were decided anew.
    pub(super) again: u64,
    /// How many there was enough for.
    pub(super) enough_for: u32,
    /// The first and the last number of each append.
    pub(super) appends: Vec<(u64, u64)>,
}

/// What one client came to.
struct Tried {
    made: Option<(u64, u64)>,
    again: u64,
}

impl Racers {
    pub(super) fn new(endpoint: &str) -> anyhow::Result<Racers> {
        let clients = (0..RIVALS).map(|_| Client::new(endpoint)).collect::<Result<_, _>>()?;
        Ok(Racers(clients))
    }

    /// All want the money at once, each for one transfer.
    pub(super) async fn run(&self, race: &Race) -> anyhow::Result<Raced> {
        let began_at = match self.0.first() {
            Some(client) => view::latest(client, &race.from.to_string()).await?.version,
            None => 0,
        };
        let mut tries = JoinSet::new();
        for client in &self.0 {
            tries.spawn(transfer(client.clone(), race.clone(), began_at));
        }
        let mut raced = Raced { enough_for: race.enough_for, ..Raced::default() };
        while let Some(tried) = tries.join_next().await {
            raced.take(&tried.context("a client of the race is gone")??);
        }
        Ok(raced)
    }
}

impl Raced {
    fn take(&mut self, tried: &Tried) {
        self.again += tried.again;
        match tried.made {
            Some(append) => {
                self.made += 1;
                self.appends.push(append);
            }
            None => self.declined += 1,
        }
    }
}

/// Transfers, if there is enough, however often somebody else is faster.
async fn transfer(client: Client, race: Race, began_at: u64) -> anyhow::Result<Tried> {
    let mut again = 0;
    loop {
        let seen = view::latest(&client, &race.from.to_string()).await?;
        if seen.balance + race.limit < race.cents {
            return Ok(Tried { made: None, again });
        }
        let transaction = race.transfer(seen.version - began_at + 1);
        let append = Append::of(transaction.events());
        let done = client.append(&on_what_was_seen(append, &race, &seen)).await;
        match done {
            Ok(appended) => {
                return Ok(Tried { made: Some((appended.first, appended.last)), again });
            }
            Err(ClientError::Problem(problem)) if problem.is_moved() => again += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

/// One day by the version of the stream, the other by a boundary; both say the same here.
fn on_what_was_seen(append: Append, race: &Race, seen: &view::Seen) -> Append {
    let stream = race.from.stream();
    if race.day.is_multiple_of(2) {
        return append.expect_of(stream, Expected::At(seen.version));
    }
    append.unless_moved(json!({ "stream": stream }), seen.number)
}
