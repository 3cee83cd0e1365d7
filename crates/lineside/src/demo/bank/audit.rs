//! The audit: reads what is there, asks the server what it claims, and compares.

use lineside_client::{Client, Read};

use super::books::{Books, read_all};
use super::chance::Chance;
use super::checks::{self, Finding, count};
use super::ledger::{CARD_PAID, FEE_CHARGED, Money, grouped};
use super::plan::{FEE, Plan, RIVALS, WRONG_FEE};
use super::play::Played;
use super::view::{self, Seen};

/// How many balances are asked for and recomputed.
const BALANCES: u32 = 200;
/// How many differences of two dates.
const DIFFERENCES: u32 = 60;

/// A claim, and what became of it.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) finding: Finding,
}

/// What was found.
#[derive(Debug)]
pub(super) struct Audit {
    pub(super) checks: Vec<Check>,
    pub(super) books: Books,
}

/// Audits the whole year.
pub(super) async fn audit(
    client: &Client,
    plan: &Plan,
    played: &Played,
    seed: u64,
) -> anyhow::Result<Audit> {
    let books = Books::read(client).await?;
    let mut asker = Asker { client, plan, played, books: &books, chance: Chance::new(!seed) };
    let found = [
        ("numbers", checks::numbers(&books)),
        ("double entry", checks::double_entry(&books, &played.appends)),
        ("recorded time", checks::days(&books, played.begin)),
        ("limits", checks::limits(&books)),
        ("races", checks::races(&played.raced, RIVALS)),
        ("balances", asker.balances().await?),
        ("differences", asker.differences().await?),
        ("wrong fees", asker.fees().await?),
        ("fraud", asker.fraud().await?),
    ];
    let checks = found.map(|(name, finding)| Check { name, finding }).into_iter().collect();
    Ok(Audit { checks, books })
}

/// Asks the server, and compares with the books.
struct Asker<'a> {
    client: &'a Client,
    plan: &'a Plan,
    played: &'a Played,
    books: &'a Books,
    chance: Chance,
}

impl Asker<'_> {
    /// Balances of accounts at the ends of days.
    async fn balances(&mut self) -> anyhow::Result<Finding> {
        for asked in 0..BALANCES {
            let (account, day) = (self.account(asked), self.day());
            let seen = view::at(self.client, &account, self.played.evening(day)).await?;
            let booked = self.booked(&account, day);
            if (seen.balance, seen.version) != booked {
                return Ok(Err(format!(
                    "account {account} on day {day} is said to have {} at version {}, and the books \
                     have {} at {}",
                    Money(seen.balance),
                    seen.version,
                    Money(booked.0),
                    booked.1
                )));
            }
        }
        let before = view::at(self.client, "1", self.played.begin).await?;
        if before != Seen::default() {
            return Ok(Err("before the first event there is something already".to_owned()));
        }
        Ok(Ok(format!(
            "{BALANCES} states of accounts at dates are as recomputed from a plain read of all events; \
             before the first event there is nothing"
        )))
    }

    /// What two dates differ by is what was booked between them.
    async fn differences(&mut self) -> anyhow::Result<Finding> {
        for asked in 0..DIFFERENCES {
            let account = self.account(asked);
            let (one, other) = (self.day(), self.day());
            let (first, last) = (one.min(other), one.max(other));
            let (from, to) = (self.played.evening(first), self.played.evening(last));
            let change = view::difference(self.client, &account, (from, to)).await?;
            let between =
                self.books.of(&account).filter(|it| from < it.recorded && it.recorded <= to);
            let booked: i64 = between.map(|entry| entry.cents).sum();
            if change != booked {
                return Ok(Err(format!(
                    "account {account} differs by {} from day {first} to {last}, and {} was booked",
                    Money(change),
                    Money(booked)
                )));
            }
        }
        Ok(Ok(format!("{DIFFERENCES} of states at two dates are the sums of the events between")))
    }

    /// One query has all fees; the price list says which batch is wrong, and its tag has it whole.
    async fn fees(&self) -> anyhow::Result<Finding> {
        let fees = read_all(self.client, &Read::default().kind(FEE_CHARGED)).await?;
        let found = match checks::wrong_fees(&fees) {
            Ok(found) => found,
            Err(why) => return Ok(Err(why)),
        };
        let tagged = Read::default().kind(FEE_CHARGED).tag(&found.tag);
        let tagged = read_all(self.client, &tagged).await?;
        let whole = checks::sum_of(&found.tag, tagged.iter());
        if found != self.plan.batch || whole != found {
            let why =
                format!("found {found:?}, by its tag {whole:?}, planted {:?}", self.plan.batch);
            return Ok(Err(why));
        }
        let due = i64::try_from(whole.accounts).unwrap_or(i64::MAX).saturating_mul(FEE);
        Ok(Ok(format!(
            "type={FEE_CHARGED} tag={}: {} accounts paid {} instead of {}: {}, which is {} too much",
            whole.tag,
            grouped(whole.accounts),
            Money(WRONG_FEE),
            Money(FEE),
            Money(whole.cents),
            Money(whole.cents - due)
        )))
    }

    async fn fraud(&self) -> anyhow::Result<Finding> {
        let cards = read_all(self.client, &Read::default().kind(CARD_PAID)).await?;
        let found = checks::frauds(&cards, self.played.begin);
        if found != [self.plan.fraud] {
            let why = format!("the rule finds {found:?}, and planted is {:?}", self.plan.fraud);
            return Ok(Err(why));
        }
        let fraud = self.plan.fraud;
        Ok(Ok(format!(
            "three payments of 90.00 to 99.99 by one card in a day: account {} on {}, {} in all; no \
             other among {} payments",
            fraud.account,
            checks::date_of(self.played.evening(fraud.day)),
            Money(fraud.cents),
            count(cards.len() / 2)
        )))
    }

    /// Mostly a customer's.
    fn account(&mut self, asked: u32) -> String {
        match asked {
            0 => "shops".to_owned(),
            1 => "fees".to_owned(),
            _ => self.chance.between(1, self.plan.customers).to_string(),
        }
    }

    fn day(&mut self) -> u32 {
        let days = u32::try_from(self.plan.days.len()).unwrap_or(u32::MAX);
        self.chance.between(0, days.saturating_sub(1))
    }

    fn booked(&self, account: &str, day: u32) -> (i64, u64) {
        let evening = self.played.evening(day);
        let until = self.books.of(account).filter(|entry| entry.recorded <= evening);
        until.fold((0, 0), |(sum, _), entry| (sum + entry.cents, entry.version))
    }
}
