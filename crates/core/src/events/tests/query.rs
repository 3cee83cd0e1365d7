//! What a query means, by itself.

use super::super::category_of;
use super::*;

fn means(query: &Query, event: &NewEvent) -> bool {
    query.matches(&EventHead {
        stream: &event.stream,
        kind: &event.content.kind,
        tags: &event.tags,
        correlation: event.correlation.as_ref(),
    })
}

#[test]
fn a_category_is_what_stands_before_the_first_dash() {
    let cases =
        [("account-42", "account"), ("account", "account"), ("a-b-c", "a"), ("-a", ""), ("-", "")];
    for (stream, category) in cases {
        assert_eq!(category_of(stream), category);
    }
}

#[test]
fn each_part_that_is_given_has_to_hold() {
    let mut new = event_with("account-42", "Opened", &["a", "b"]);
    new.correlation = Some(label("c"));
    let cases = [
        (item(|_| {}), true),
        (item(|item| item.types = labels(&["Closed", "Opened"])), true),
        (item(|item| item.types = labels(&["Closed"])), false),
        (item(|item| item.tags = labels(&["b", "a"])), true),
        (item(|item| item.tags = labels(&["a", "c"])), false),
        (item(|item| item.stream = Some(label("account-42"))), true),
        (item(|item| item.stream = Some(label("account"))), false),
        (item(|item| item.category = Some(label("account"))), true),
        (item(|item| item.category = Some(label("account-42"))), false),
        (item(|item| item.correlation = Some(label("c"))), true),
        (item(|item| item.correlation = Some(label("d"))), false),
    ];
    for (item, holds) in &cases {
        assert_eq!(means(&Query::of(item.clone()), &new), *holds, "{item:?}");
    }
    for (one, one_holds) in &cases {
        for (other, other_holds) in &cases {
            let any = Query { items: vec![one.clone(), other.clone()] };
            assert_eq!(means(&any, &new), *one_holds || *other_holds, "{any:?}");
        }
    }
    assert!(means(&Query::all(), &new));
    let uncorrelated = Query::of(item(|item| item.correlation = Some(label("c"))));
    assert!(!means(&uncorrelated, &event("account-42")));
}

#[test]
fn parts_of_one_item_hold_together() {
    let both = Query::of(item(|item| {
        item.types = labels(&["Opened"]);
        item.tags = labels(&["a"]);
    }));
    assert!(means(&both, &event_with("s", "Opened", &["a"])));
    assert!(!means(&both, &event_with("s", "Opened", &["b"])));
    assert!(!means(&both, &event_with("s", "Closed", &["a"])));
}
