//! Books that are right, and books that are wrong in one way each.

use super::*;

const MORNING: &str = "2027-01-01T09:00:00Z";

fn begin() -> Timestamp {
    "2027-01-01T00:00:00Z".parse().unwrap()
}

/// One event of a transaction of day 0; its number is put in by `books`.
fn entry(transaction: &str, stream: &str, cents: i64) -> Entry {
    Entry {
        number: 0,
        stream: stream.to_owned(),
        version: 0,
        kind: "Transferred".to_owned(),
        id: String::new(),
        transaction: transaction.to_owned(),
        recorded: MORNING.parse().unwrap(),
        tags: String::new(),
        cents,
        limit: None,
        text: String::new(),
    }
}

fn opened(stream: &str, limit: i64) -> Entry {
    Entry { limit: Some(limit), ..entry(&format!("open-{stream}"), stream, 0) }
}

/// With numbers, versions and ids as a server gives them.
fn books(entries: Vec<Entry>) -> Books {
    let mut versions: BTreeMap<String, u64> = BTreeMap::new();
    let numbered = (1..).zip(entries).map(|(number, mut entry)| {
        let version = versions.entry(entry.stream.clone()).or_insert(0);
        *version += 1;
        (entry.number, entry.version, entry.id) = (number, *version, number.to_string());
        entry
    });
    Books(numbered.collect())
}

fn right() -> Books {
    books(vec![
        opened("account-1", 100),
        opened("account-2", 0),
        entry("000-1", "account-1", -100),
        entry("000-1", "account-2", 100),
        entry("000-2", "account-2", -100),
        entry("000-2", "account-shops", 100),
    ])
}

/// The right books with one entry changed.
fn but(index: usize, change: impl FnOnce(&mut Entry)) -> Books {
    let mut books = right();
    change(&mut books.0[index]);
    books
}

const APPENDS: [(u64, u64); 2] = [(1, 2), (3, 6)];

#[track_caller]
fn assert_wrong(finding: Finding, why: &str) {
    let told = finding.expect_err("this is wrong, and passes");
    assert!(told.contains(why), "{told}");
}

#[test]
fn right_books_pass() {
    for finding in [
        numbers(&right()),
        double_entry(&right(), &APPENDS),
        days(&right(), begin()),
        limits(&right()),
    ] {
        finding.unwrap();
    }
}

#[test]
fn gaps_are_found() {
    assert_wrong(numbers(&but(2, |entry| entry.number = 9)), "event 9 stands where 3 should");
    assert_wrong(numbers(&but(3, |entry| entry.version = 3)), "account-2 has version 3 where 2");
}

#[test]
fn what_does_not_sum_to_zero_is_found() {
    assert_wrong(double_entry(&but(3, |it| it.cents = 99), &APPENDS), "at event 3");
    let half = books(right().0.into_iter().take(5).collect());
    assert_wrong(double_entry(&half, &APPENDS), "at event 5 the accounts sum to -1.00");
}

#[test]
fn a_transaction_at_two_moments_is_found() {
    let later = |it: &mut Entry| it.recorded += SignedDuration::from_millis(1);
    assert_wrong(
        double_entry(&but(5, later), &APPENDS),
        "at 2027-01-01T09:00:00Z the accounts sum",
    );
}

#[test]
fn an_append_that_ends_within_a_transaction_is_found() {
    assert_wrong(double_entry(&right(), &[(1, 3), (4, 6)]), "event 3, within a transaction");
    assert_wrong(double_entry(&right(), &[(1, 2), (3, 4)]), "6 events are there, and 4");
}

#[test]
fn a_transaction_in_two_places_is_found() {
    let twice = books([right().0, right().0.split_off(2)].concat());
    assert_wrong(double_entry(&twice, &[(1, 10)]), "000-1 is there twice");
    assert_wrong(double_entry(&but(5, |it| it.id = "3".to_owned()), &APPENDS), "000-2 is there");
}

#[test]
fn who_is_below_the_limit_is_found() {
    assert_wrong(limits(&but(2, |it| it.cents = -101)), "account-1 is at -1.01 after event 3");
    assert_wrong(limits(&but(4, |it| it.cents = -101)), "account-2 is at -0.01 after event 5");
    assert_wrong(limits(&books(vec![entry("000-1", "account-1", 1)])), "no account says");
}

#[test]
fn what_was_recorded_on_another_day_is_found() {
    let late = |it: &mut Entry| it.recorded += SignedDuration::from_hours(24);
    assert_wrong(days(&but(5, late), begin()), "event 6 of 000-2 was recorded on day 1");
}

#[test]
fn races_in_which_too_many_or_too_few_made_it_are_found() {
    let race = Raced { made: 2, declined: 6, again: 3, enough_for: 2, appends: Vec::new() };
    races(std::slice::from_ref(&race), 8).unwrap();
    for (made, declined) in [(3, 5), (1, 7), (2, 5)] {
        let race = Raced { made, declined, ..race.clone() };
        assert_wrong(races(&[race], 8), "there was enough for 2");
    }
    assert_wrong(races(&[Raced { again: 0, ..race }], 8), "nothing was proved");
}

fn fee(tag: &str, cents: i64) -> Entry {
    let kind = FEE_CHARGED.to_owned();
    Entry { kind, tags: tag.to_owned(), ..entry("000-3", "account-1", cents) }
}

#[test]
fn the_wrong_batch_is_the_one_that_is_not_as_the_price_list() {
    let fees = [fee("a", -FEE), fee("a", FEE), fee("b", -4_900), fee("b", 4_900), fee("b", -4_900)];
    let batch = Batch { tag: "b".to_owned(), accounts: 2, cents: 9_800 };
    assert_eq!(wrong_fees(&fees), Ok(batch));
    assert!(wrong_fees(&fees[..2]).is_err());
    assert!(wrong_fees(&[fee("a", -1), fee("b", -1)]).is_err());
}

#[test]
fn the_fraud_is_three_payments_just_below_a_hundred_on_one_day() {
    let card = |cents, hours| Entry {
        kind: CARD_PAID.to_owned(),
        recorded: begin() + SignedDuration::from_hours(hours),
        ..entry("000-4", "account-7", cents)
    };
    let cards = [card(-9_000, 9), card(-9_999, 10), card(-9_500, 11)];
    let fraud = Fraud { account: Account::Customer(7), day: 0, cents: 28_499 };
    assert_eq!(frauds(&cards, begin()), [fraud]);
    assert!(frauds(&cards[..2], begin()).is_empty());
    let elsewhere = [cards[0].clone(), cards[1].clone(), card(-9_500, 30)];
    assert!(frauds(&elsewhere, begin()).is_empty());
    assert!(frauds(&[card(-8_999, 1), card(-10_000, 1), card(-9_000, 1)], begin()).is_empty());
}
