//! Accounts, money, and transactions as events.

use std::fmt;

use lineside_client::NewEvent;
use serde_json::json;

/// The category of all accounts' streams.
pub(super) const CATEGORY: &str = "account";
/// The event with which a customer's account begins. It moves nothing.
pub(super) const OPENED: &str = "AccountOpened";
/// The type of a card payment's events.
pub(super) const CARD_PAID: &str = "CardPaid";
/// The type of a fee's events.
pub(super) const FEE_CHARGED: &str = "FeeCharged";
/// The type of a transfer's events.
pub(super) const TRANSFERRED: &str = "Transferred";

/// Who has money. What is not a customer's stands for the world: it may go below zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Account {
    /// Numbered from 1.
    Customer(u32),
    /// They pay salaries.
    Employers,
    /// They get rents.
    Landlords,
    /// They get card payments.
    Shops,
    /// What was paid in when the accounts were opened.
    OtherBanks,
    /// The bank's own income.
    Fees,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Account::Customer(number) => write!(f, "{number}"),
            Account::Employers => f.write_str("employers"),
            Account::Landlords => f.write_str("landlords"),
            Account::Shops => f.write_str("shops"),
            Account::OtherBanks => f.write_str("otherbanks"),
            Account::Fees => f.write_str("fees"),
        }
    }
}

impl Account {
    /// The stream of its events.
    pub(super) fn stream(self) -> String {
        format!("{CATEGORY}-{self}")
    }

    /// The event with which it begins.
    pub(super) fn opened(self, limit: i64) -> NewEvent {
        NewEvent {
            id: Some(format!("open-{self}")),
            stream: Some(self.stream()),
            correlation: Some(format!("open-{self}")),
            ..NewEvent::new(OPENED, json!({ "limit": limit }))
        }
    }
}

/// Cents, as people write money: `-1,234.50`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Money(pub(super) i64);

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, cents) = (self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100);
        let sign = if self.0 < 0 { "-" } else { "" };
        f.pad(&format!("{sign}{}.{cents:02}", grouped(whole)))
    }
}

/// A number with a comma for each thousand.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Money that goes from one account to another: two events, one for each, with the same correlation
/// id.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Transaction {
    /// Unique; it begins with the day, as three digits.
    pub(super) id: String,
    /// The type of both events.
    pub(super) kind: &'static str,
    /// Who has less after it.
    pub(super) from: Account,
    /// Who has more.
    pub(super) to: Account,
    /// How much.
    pub(super) cents: i64,
    /// What stands in both statements; of a transfer each says who the other is.
    pub(super) text: &'static str,
    /// The tag of both events.
    pub(super) tag: Option<String>,
}

impl Transaction {
    /// What is appended: first who pays, then who gets it.
    pub(super) fn events(&self) -> [NewEvent; 2] {
        [
            self.event(1, self.from, self.to, -self.cents),
            self.event(2, self.to, self.from, self.cents),
        ]
    }

    fn event(&self, part: u32, account: Account, with: Account, cents: i64) -> NewEvent {
        let text = match self.kind {
            TRANSFERRED if cents < 0 => format!("Transfer to {with}"),
            TRANSFERRED => format!("Transfer from {with}"),
            _ => self.text.to_owned(),
        };
        let data = json!({ "cents": cents, "with": with.to_string(), "text": text });
        NewEvent {
            id: Some(format!("{}.{part}", self.id)),
            stream: Some(account.stream()),
            correlation: Some(self.id.clone()),
            tags: self.tag.iter().cloned().collect(),
            ..NewEvent::new(self.kind, data)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_reads_as_people_write_it() {
        let written =
            [0, 5, -5, 123, 123_456, -1_234_567_890].map(|cents| Money(cents).to_string());
        assert_eq!(written, ["0.00", "0.05", "-0.05", "1.23", "1,234.56", "-12,345,678.90"]);
        assert_eq!(format!("{:>8}", Money(100)), "    1.00");
    }

    #[test]
    fn the_two_events_of_a_transaction_sum_to_zero() {
        let transaction = Transaction {
            id: "001-1".to_owned(),
            kind: TRANSFERRED,
            from: Account::Customer(1),
            to: Account::Shops,
            cents: 250,
            text: "",
            tag: Some("t".to_owned()),
        };
        let events = transaction.events();
        let cents = |event: &NewEvent| event.data.as_ref().unwrap()["cents"].as_i64().unwrap();
        assert_eq!(events.iter().map(cents).collect::<Vec<_>>(), [-250, 250]);
        let text = |event: &NewEvent| event.data.as_ref().unwrap()["text"].clone();
        assert_eq!(events.each_ref().map(text), ["Transfer to shops", "Transfer from 1"]);
        assert_eq!(events[0].stream.as_deref(), Some("account-1"));
        assert_eq!(events[1].stream.as_deref(), Some("account-shops"));
        assert_eq!(events[0].correlation, events[1].correlation);
    }
}
