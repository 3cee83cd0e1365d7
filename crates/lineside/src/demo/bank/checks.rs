//! What must hold, as pure functions over the books. Each gives what it found, or what is wrong.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::books::{Books, Entry};
use super::ledger::{Account, CARD_PAID, FEE_CHARGED, Money, grouped};
use super::plan::{Batch, FEE, Fraud};
use super::race::Raced;

/// What a check says: that it holds, with figures, or what is wrong.
pub(super) type Finding = Result<String, String>;

/// Refuses with a text.
macro_rules! wrong {
    ($($text:tt)*) => { return Err(format!($($text)*)) };
}

/// Numbers and versions have no gap.
pub(super) fn numbers(books: &Books) -> Finding {
    let mut versions: BTreeMap<&str, u64> = BTreeMap::new();
    for (expected, entry) in (1..).zip(&books.0) {
        if entry.number != expected {
            wrong!("event {} stands where {expected} should", entry.number);
        }
        let version = versions.entry(&entry.stream).or_insert(0);
        *version += 1;
        if entry.version != *version {
            wrong!("{} has version {} where {version} should be", entry.stream, entry.version);
        }
    }
    Ok(format!("{} events in {} streams", count(books.0.len()), count(versions.len())))
}

/// At every event number all accounts sum to zero, together with what is still to be booked of the
/// transaction that has begun; and no append, so nothing that anybody can come between, ends within
/// a transaction. At every moment they sum to zero as they are.
pub(super) fn double_entry(books: &Books, appends: &[(u64, u64)]) -> Finding {
    let (mut sum, mut ends) = (0, BTreeSet::new());
    let (mut ids, mut transactions) = (BTreeSet::new(), BTreeSet::new());
    for parts in books.0.chunk_by(|a, b| a.transaction == b.transaction) {
        let mut owed: i64 = parts.iter().map(|part| part.cents).sum();
        for part in parts {
            sum += part.cents;
            owed -= part.cents;
            if sum + owed != 0 {
                wrong!("at event {} the accounts sum to {}", part.number, Money(sum + owed));
            }
        }
        let is_twice = parts.iter().any(|part| !ids.insert(part.id.as_str()));
        if is_twice || !transactions.insert(transaction(parts)) {
            wrong!("transaction {} is there twice, or in two places", transaction(parts));
        }
        ends.extend(parts.last().map(|part| part.number));
    }
    let moments = sums_at_moments(books)?;
    if let Some((_, last)) = appends.iter().find(|(_, last)| !ends.contains(last)) {
        wrong!("an append ends with event {last}, within a transaction");
    }
    let last = appends.last().map_or(0, |(_, last)| *last);
    if count(books.0.len()) != grouped(last) {
        wrong!("{} events are there, and {last} were appended", books.0.len());
    }
    Ok(format!(
        "all accounts sum to 0.00 at each of {} event numbers (with its second half, where a \
         transaction has only begun), and as they are at the end of each of {} appends and at each \
         of {} recorded moments",
        grouped(last),
        count(appends.len()),
        count(moments)
    ))
}

/// How many moments there are; at each, all accounts together have nothing.
fn sums_at_moments(books: &Books) -> Result<usize, String> {
    let (mut sum, mut moments) = (0, 0);
    for together in books.0.chunk_by(|a, b| a.recorded == b.recorded) {
        sum += together.iter().map(|entry| entry.cents).sum::<i64>();
        moments += 1;
        if let (1.., Some(last)) = (sum.unsigned_abs(), together.last()) {
            wrong!("at {} the accounts sum to {}", last.recorded, Money(sum));
        }
    }
    Ok(moments)
}

fn transaction(parts: &[Entry]) -> &str {
    parts.first().map_or("", |part| &part.transaction)
}

/// No customer's account is ever below its limit.
pub(super) fn limits(books: &Books) -> Finding {
    let mut accounts: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    let mut lowest = 0;
    for entry in &books.0 {
        if let Some(limit) = entry.limit {
            accounts.insert(&entry.stream, (0, limit));
        }
        let Some((balance, limit)) = accounts.get_mut(entry.stream.as_str()) else { continue };
        *balance += entry.cents;
        if *balance < -*limit {
            wrong!("{} is at {} after event {}", entry.stream, Money(*balance), entry.number);
        }
        lowest = lowest.min(*balance);
    }
    if accounts.is_empty() {
        wrong!("no account says how far it may go");
    }
    Ok(format!(
        "{} accounts, none below its limit after any event; the lowest was at {}",
        count(accounts.len()),
        Money(lowest)
    ))
}

/// Each event was recorded on its day.
pub(super) fn days(books: &Books, begin: Timestamp) -> Finding {
    let mut days = BTreeSet::new();
    for entry in books.0.iter().filter(|entry| entry.cents != 0) {
        let day = entry.transaction.get(..3).and_then(|day| day.parse::<i64>().ok());
        let recorded = entry.recorded.duration_since(begin);
        let recorded = recorded.as_secs().div_euclid(SignedDuration::from_hours(24).as_secs());
        if day != Some(recorded) {
            wrong!(
                "event {} of {} was recorded on day {recorded}",
                entry.number,
                entry.transaction
            );
        }
        days.insert(recorded);
    }
    let (first, last) = (books.0.first(), books.0.last());
    let date = |entry: Option<&Entry>| entry.map_or(String::new(), |it| date_of(it.recorded));
    let (first, last) = (date(first), date(last));
    Ok(format!("each event on its own of {} days, {first} to {last}", count(days.len())))
}

/// Of each race, as many made it as there was enough for.
pub(super) fn races(raced: &[Raced], rivals: u32) -> Finding {
    let (mut made, mut declined, mut again) = (0_u64, 0_u64, 0);
    for race in raced {
        if race.made != race.enough_for || race.made + race.declined != rivals {
            wrong!(
                "there was enough for {} transfers, and {} were made",
                race.enough_for,
                race.made
            );
        }
        made += u64::from(race.made);
        declined += u64::from(race.declined);
        again += race.again;
    }
    if again == 0 {
        wrong!("nobody was ever faster than somebody else, so nothing was proved");
    }
    Ok(format!(
        "{} races of {rivals} clients: {} transfers, as many as there was money for, {} declined, {} \
         refused and decided anew",
        count(raced.len()),
        grouped(made),
        grouped(declined),
        grouped(again)
    ))
}

/// Of all fees (the answer to one query), the batch whose fees are not those of the price list.
pub(super) fn wrong_fees(fees: &[Entry]) -> Result<Batch, String> {
    let wrong = |fee: &&Entry| fee.kind == FEE_CHARGED && fee.cents < 0 && fee.cents != -FEE;
    let wrong: Vec<&Entry> = fees.iter().filter(wrong).collect();
    let tags: BTreeSet<&str> = wrong.iter().map(|fee| fee.tags.as_str()).collect();
    let mut tags = tags.into_iter();
    match (tags.next(), tags.next()) {
        (Some(tag), None) => Ok(sum_of(tag, wrong.into_iter())),
        (None, _) => Err("no fee is wrong".to_owned()),
        (Some(one), Some(other)) => Err(format!("fees are wrong in {one} and in {other}")),
    }
}

/// What a batch took from accounts.
pub(super) fn sum_of<'a>(tag: &str, fees: impl Iterator<Item = &'a Entry>) -> Batch {
    let mut batch = Batch { tag: tag.to_owned(), ..Batch::default() };
    for fee in fees.filter(|fee| fee.cents < 0) {
        batch.accounts += 1;
        batch.cents -= fee.cents;
    }
    batch
}

/// The rule: three card payments of 90.00 to 99.99 from one account on one day. Who has a limit of
/// 100.00 in mind stays just below it.
pub(super) fn frauds(cards: &[Entry], begin: Timestamp) -> Vec<Fraud> {
    let mut suspects: BTreeMap<(u32, u32), (u32, i64)> = BTreeMap::new();
    for card in cards.iter().filter(|card| card.kind == CARD_PAID) {
        let day = card.recorded.duration_since(begin).as_secs() / 86_400;
        let number = card.stream.rsplit('-').next().and_then(|number| number.parse().ok());
        if let (-9_999..=-9_000, Ok(day), Some(number)) = (card.cents, u32::try_from(day), number) {
            let (times, cents) = suspects.entry((number, day)).or_default();
            *times += 1;
            *cents -= card.cents;
        }
    }
    let caught = suspects.into_iter().filter(|(_, (times, _))| *times >= 3);
    let fraud =
        |((number, day), (_, cents))| Fraud { account: Account::Customer(number), day, cents };
    caught.map(fraud).collect()
}

/// A number of things, as it is read.
pub(super) fn count(number: usize) -> String {
    grouped(u64::try_from(number).unwrap_or(u64::MAX))
}

/// The day of a moment, in UTC.
pub(super) fn date_of(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests;
