//! The year, before it happens: a seed decides all of it, also how the races end.

use super::chance::Chance;
use super::ledger::{Account, CARD_PAID, FEE_CHARGED, TRANSFERRED, Transaction};

/// Days between two salaries, rents and fees.
const MONTH: u32 = 30;
/// Of a month: when fees are charged.
const FEE_DAY: u32 = 28;
/// Of a month: when salaries come from, one quarter of the accounts a day.
const PAY_DAY: u32 = 24;
/// What an account costs a month, in cents.
pub(super) const FEE: i64 = 490;
/// What the wrong batch charges: somebody moved the point.
pub(super) const WRONG_FEE: i64 = 4_900;
/// How many want the same money in a race.
pub(super) const RIVALS: u32 = 8;
/// How many payments the fraud makes.
const FRAUD_PAYMENTS: u32 = 9;
/// Where cards pay.
const SHOPS: [&str; 8] = [
    "Bakery Maier",
    "Bookshop",
    "City Market",
    "Garage Nord",
    "Green Grocer",
    "Pharmacy",
    "Railway",
    "Shoe Store",
];

/// A year of a bank.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    /// How many customers' accounts there are; they are numbered from 1.
    pub(super) customers: u32,
    /// What happens on each day, from day 0.
    pub(super) days: Vec<Day>,
    /// How far an account may go below zero, in cents, in the order of their numbers.
    pub(super) limits: Vec<i64>,
    /// The fee batch that is wrong.
    pub(super) batch: Batch,
    /// The card that somebody stole.
    pub(super) fraud: Fraud,
}

/// A day's bookings in their order, and a race at its end.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Day {
    pub(super) bookings: Vec<Transaction>,
    pub(super) race: Option<Race>,
}

/// Several clients at once want to transfer the same sum from one account to another.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Race {
    /// The day.
    pub(super) day: u32,
    pub(super) from: Account,
    pub(super) to: Account,
    pub(super) cents: i64,
    /// How far `from` may go below zero.
    pub(super) limit: i64,
    /// How many transfers its money is enough for, whoever makes them.
    pub(super) enough_for: u32,
}

impl Race {
    /// The transfer that is the `nth` to succeed. It is the same whoever makes it, so the log does
    /// not depend on who wins.
    pub(super) fn transfer(&self, nth: u64) -> Transaction {
        Transaction {
            id: format!("{:03}-race-{nth}", self.day),
            kind: TRANSFERRED,
            from: self.from,
            to: self.to,
            cents: self.cents,
            text: "",
            tag: None,
        }
    }
}

/// A batch of fees.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Batch {
    /// The tag of its events.
    pub(super) tag: String,
    /// How many accounts were charged.
    pub(super) accounts: u64,
    /// What they were charged together, in cents.
    pub(super) cents: i64,
}

/// Payments with a stolen card.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fraud {
    pub(super) account: Account,
    pub(super) day: u32,
    /// All payments together, in cents.
    pub(super) cents: i64,
}

impl Plan {
    /// The plan that a seed makes of so many accounts and days; there are at least ten accounts, and
    /// two months.
    pub(super) fn new(seed: u64, customers: u32, days: u32) -> Plan {
        let mut maker = Maker::new(seed, customers, days);
        let days = (0..days).map(|day| maker.day(day)).collect();
        Plan { customers, days, limits: maker.limits(), batch: maker.batch, fraud: maker.fraud }
    }

    /// How many transactions there will be.
    pub(super) fn transactions(&self) -> u64 {
        let races = self.days.iter().filter_map(|day| day.race.as_ref());
        let raced: u64 = races.map(|race| u64::from(race.enough_for)).sum();
        let booked: usize = self.days.iter().map(|day| day.bookings.len()).sum();
        raced + u64::try_from(booked).unwrap_or(u64::MAX)
    }
}

/// A customer, as the plan knows them.
#[derive(Clone, Debug)]
struct Customer {
    account: Account,
    balance: i64,
    limit: i64,
    salary: i64,
    rent: i64,
}

/// Makes one day after the other, and knows what everybody has by then.
struct Maker {
    chance: Chance,
    customers: Vec<Customer>,
    wrong_month: u32,
    batch: Batch,
    fraud: Fraud,
    day: u32,
    bookings: Vec<Transaction>,
}

impl Maker {
    fn new(seed: u64, customers: u32, days: u32) -> Maker {
        let mut chance = Chance::new(seed);
        let all = (1..=customers).map(|number| customer(&mut chance, number)).collect();
        let wrong_month = chance.between(0, (days / MONTH).saturating_sub(1));
        let account = Account::Customer(chance.between(1, customers));
        let fraud = Fraud { account, day: chance.between(days / 3, days * 2 / 3), cents: 0 };
        let (batch, bookings) = (Batch::default(), Vec::new());
        Maker { chance, customers: all, wrong_month, batch, fraud, day: 0, bookings }
    }

    fn limits(&self) -> Vec<i64> {
        self.customers.iter().map(|customer| customer.limit).collect()
    }

    fn day(&mut self, day: u32) -> Day {
        self.day = day;
        if day == 0 {
            self.deposits();
        }
        self.salaries();
        self.rents();
        self.cards();
        self.transfers();
        if day == self.fraud.day {
            self.steal();
        }
        if day % MONTH == FEE_DAY {
            self.fees();
        }
        Day { bookings: std::mem::take(&mut self.bookings), race: self.race() }
    }

    /// Books it, if who pays has the money.
    fn book(
        &mut self,
        kind: &'static str,
        from: Account,
        to: Account,
        cents: i64,
        text: &'static str,
    ) -> bool {
        if self.customer(from).is_some_and(|payer| payer.balance + payer.limit < cents) {
            return false;
        }
        self.change(from, -cents);
        self.change(to, cents);
        let id = format!("{:03}-{:05}", self.day, self.bookings.len());
        self.bookings.push(Transaction { id, kind, from, to, cents, text, tag: None });
        true
    }

    fn customer(&mut self, account: Account) -> Option<&mut Customer> {
        let Account::Customer(number) = account else { return None };
        self.customers.get_mut(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    fn change(&mut self, account: Account, by: i64) {
        if let Some(customer) = self.customer(account) {
            customer.balance += by;
        }
    }

    fn deposits(&mut self) {
        for customer in self.customers.clone() {
            let cents = self.chance.cents(50_000, 500_000);
            self.book("Deposited", Account::OtherBanks, customer.account, cents, "Deposit");
        }
    }

    fn salaries(&mut self) {
        for (index, customer) in (0..).zip(self.customers.clone()) {
            if self.day % MONTH == PAY_DAY + index % 4 {
                let Customer { account, salary, .. } = customer;
                self.book("SalaryPaid", Account::Employers, account, salary, "Salary");
            }
        }
    }

    /// Who cannot pay the rent does not: nothing is booked.
    fn rents(&mut self) {
        for (index, customer) in (0..).zip(self.customers.clone()) {
            if self.day % MONTH == 2 + index % 3 {
                let Customer { account, rent, .. } = customer;
                self.book("RentPaid", account, Account::Landlords, rent, "Rent");
            }
        }
    }

    fn cards(&mut self) {
        for customer in self.customers.clone() {
            if self.chance.in_a_thousand(150) {
                let cents = self.chance.cents(300, 14_000);
                let shop = self.chance.pick(&SHOPS).unwrap_or_default();
                self.book(CARD_PAID, customer.account, Account::Shops, cents, shop);
            }
        }
    }

    fn transfers(&mut self) {
        for customer in self.customers.clone() {
            if self.chance.in_a_thousand(10) {
                let to = self.other_than(customer.account);
                let cents = self.chance.cents(1_000, 60_000);
                self.book(TRANSFERRED, customer.account, to, cents, "");
            }
        }
    }

    fn other_than(&mut self, account: Account) -> Account {
        let count = u32::try_from(self.customers.len()).unwrap_or(u32::MAX);
        loop {
            let other = Account::Customer(self.chance.between(1, count));
            if other != account {
                return other;
            }
        }
    }

    /// A thief stays below a hundred each time, at a place that the owner never was at. Whose card
    /// it is decides where there is something to get.
    fn steal(&mut self) {
        let worth = 10_000 * i64::from(FRAUD_PAYMENTS);
        let rich = self.customers.iter().filter(|customer| customer.balance >= worth);
        let rich: Vec<Account> = rich.map(|customer| customer.account).collect();
        if !rich.contains(&self.fraud.account) {
            self.fraud.account = self.chance.pick(&rich).unwrap_or(self.fraud.account);
        }
        for _ in 0..FRAUD_PAYMENTS {
            let cents = self.chance.cents(9_000, 9_999);
            if self.book(CARD_PAID, self.fraud.account, Account::Shops, cents, "Kiosk 24") {
                self.fraud.cents += cents;
            }
        }
    }

    fn fees(&mut self) {
        let month = self.day / MONTH;
        let (tag, is_wrong) = (format!("batch:fees-{month:02}"), month == self.wrong_month);
        let cents = if is_wrong { WRONG_FEE } else { FEE };
        let before = self.bookings.len();
        for customer in self.customers.clone() {
            self.book(FEE_CHARGED, customer.account, Account::Fees, cents, "Account fee");
        }
        let fees = self.bookings.iter_mut().skip(before);
        let charged = fees.map(|fee| fee.tag = Some(tag.clone())).count();
        if is_wrong {
            let accounts = u64::try_from(charged).unwrap_or(u64::MAX);
            let cents = i64::try_from(charged).unwrap_or(i64::MAX) * cents;
            self.batch = Batch { tag, accounts, cents };
        }
    }

    /// For the money of somebody who has some; it is enough for one to five of those who want it.
    fn race(&mut self) -> Option<Race> {
        let from = self.other_than(Account::Fees);
        let to = self.other_than(from);
        let (times, customer) = (self.chance.cents(1, 5), self.customer(from)?.clone());
        let cents = (customer.balance + customer.limit) / times - 7;
        if cents < 500 {
            return None;
        }
        let enough_for = (customer.balance + customer.limit) / cents;
        let enough_for = u32::try_from(enough_for).unwrap_or(RIVALS).min(RIVALS);
        self.change(from, -cents * i64::from(enough_for));
        self.change(to, cents * i64::from(enough_for));
        let (day, limit) = (self.day, customer.limit);
        Some(Race { day, from, to, cents, limit, enough_for })
    }
}

/// One in five may go below zero, by 500.00.
fn customer(chance: &mut Chance, number: u32) -> Customer {
    let salary = chance.cents(150_000, 400_000);
    Customer {
        account: Account::Customer(number),
        balance: 0,
        limit: if number.is_multiple_of(5) { 50_000 } else { 0 },
        salary,
        rent: salary * chance.cents(30, 40) / 100,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn all(plan: &Plan) -> impl Iterator<Item = &Transaction> {
        plan.days.iter().flat_map(|day| &day.bookings)
    }

    #[test]
    fn the_same_seed_is_the_same_year_and_another_another() {
        assert_eq!(Plan::new(7, 50, 90), Plan::new(7, 50, 90));
        assert_ne!(Plan::new(7, 50, 90), Plan::new(8, 50, 90));
    }

    #[test]
    fn ids_are_unique_and_money_is_moved() {
        let plan = Plan::new(1, 100, 365);
        let ids: BTreeSet<&str> = all(&plan).map(|transaction| transaction.id.as_str()).collect();
        assert_eq!(ids.len(), all(&plan).count());
        assert!(all(&plan).all(|transaction| transaction.cents > 0));
        assert!(plan.transactions() > all(&plan).count() as u64, "there are races");
    }

    #[test]
    fn a_year_has_one_wrong_batch_and_one_fraud_whatever_the_seed() {
        for seed in 0..20 {
            let plan = Plan::new(seed, 50, 60);
            let fees = || all(&plan).filter(|transaction| transaction.kind == FEE_CHARGED);
            let wrong: Vec<_> = fees().filter(|fee| fee.cents == WRONG_FEE).collect();
            assert!(wrong.len() > 25, "{seed}: {}", wrong.len());
            assert_eq!(plan.batch.accounts, wrong.len() as u64);
            assert!(wrong.iter().all(|fee| fee.tag.as_ref() == Some(&plan.batch.tag)));
            assert!(fees().any(|fee| fee.cents == FEE));
            let stolen: Vec<_> = all(&plan).filter(|card| card.text == "Kiosk 24").collect();
            assert_eq!(stolen.len(), FRAUD_PAYMENTS as usize, "{seed}");
            assert_eq!(stolen.iter().map(|card| card.cents).sum::<i64>(), plan.fraud.cents);
            assert!(stolen.iter().all(|card| card.from == plan.fraud.account));
        }
    }

    #[test]
    fn a_race_is_for_more_than_there_is() {
        let plan = Plan::new(3, 100, 200);
        let races: Vec<_> = plan.days.iter().filter_map(|day| day.race.as_ref()).collect();
        assert!(races.len() > 150, "{}", races.len());
        assert!(races.iter().all(|race| race.from != race.to));
        assert!(races.iter().all(|race| (1..RIVALS).contains(&race.enough_for)));
        assert_eq!(races[0].transfer(2).id, format!("{:03}-race-2", races[0].day));
    }
}
