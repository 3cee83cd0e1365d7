use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::fault::{At, Cause, Fault, Place};
use crate::fold::tests::{block, event, folded};
use crate::fold::{Block, Event, check_here, fold_here};
use crate::program::Program;

fn script(text: &str) -> Program {
    Program::JavaScript(text.into())
}

/// A module whose `evolve` has this body.
fn evolving(body: &str) -> Program {
    script(&format!(
        "export const initial = {{}};\nexport function evolve(state, event) {{ {body} }}"
    ))
}

fn events(count: u64) -> Vec<Event> {
    (1..=count).map(|version| event(version, &json!({ "n": version }))).collect()
}

fn fault(program: &Program, count: u64) -> Fault {
    fold_here(&block(program, events(count))).unwrap_err()
}

fn at(version: u64) -> Option<At> {
    Some((version + 100, version).into())
}

/// What an expression of the language comes to.
fn evaluated(expression: &str) -> Result<Json, Fault> {
    let program = evolving(&format!("return {expression};"));
    let folded = fold_here(&block(&program, events(1)))?;
    Ok(serde_json::from_str(&folded.state).unwrap())
}

#[test]
fn a_function_gives_the_next_state_or_changes_the_one_that_it_is_given() {
    let adds =
        "export const initial = 0; export const evolve = (state, event) => state + event.data.n;";
    assert_eq!(folded(&script(adds), events(4)), "10");
    let changes = evolving("state.seen ??= []; state.seen.push(event.data.n)");
    assert_eq!(folded(&changes, events(3)), r#"{"seen":[1,2,3]}"#);
    assert_eq!(
        folded(&script("export function evolve(state) { return state }"), events(2)),
        "null"
    );
    assert_eq!(
        folded(&script("export const initial = [1]; export function evolve() {}"), vec![]),
        "[1]"
    );
}

#[test]
fn an_event_has_the_names_of_the_api() {
    let program =
        evolving("return [event.type, event.eventnumber, event.streamversion, event.stream]");
    assert_eq!(folded(&program, events(2)), r#"["t","102","2","s-1"]"#);
}

#[test]
fn a_block_begins_where_another_one_ended() {
    let program = evolving("state.sum = (state.sum ?? 0) + event.data.n");
    let all = events(7);
    let whole = folded(&program, all.clone());
    for cut in 0..=7 {
        let (before, after) = all.split_at(cut);
        let from = Some(folded(&program, before.to_vec()));
        let rest = Block { from, ..block(&program, after.to_vec()) };
        assert_eq!(fold_here(&rest).unwrap().state, whole);
    }
}

#[test]
fn what_depends_on_when_and_where_it_runs_is_refused() {
    for (expression, what) in [
        ("Date.now()", "Date.now()"),
        ("new Date()", "new Date() without a moment"),
        ("Date()", "Date()"),
        ("new Date(0).constructor.now()", "Date.now()"),
        ("Math.random()", "Math.random()"),
        ("new Date('2026-01-01T10:00:00')", "A moment without its offset"),
        ("Date.parse('1 May 2026')", "A moment without its offset"),
    ] {
        let fault = evaluated(expression).unwrap_err();
        let Cause::Threw(said) = &fault.cause else { panic!("{expression}: {fault}") };
        assert!(said.contains(what) && said.contains("is refused"), "{said}");
    }
    for name in [
        "setTimeout",
        "queueMicrotask",
        "fetch",
        "require",
        "process",
        "console",
        "print",
        "std",
        "os",
        "performance",
        "WeakRef",
        "FinalizationRegistry",
        "SharedArrayBuffer",
        "Atomics",
        "Proxy",
        "WebAssembly",
        "navigator",
        "Intl",
    ] {
        assert_eq!(evaluated(&format!("typeof {name}")), Ok("undefined".into()), "{name}");
    }
}

#[test]
fn moments_of_events_can_be_reckoned_with_in_utc() {
    for (expression, value) in [
        ("new Date('2026-02-03T23:30:00-02:00').toISOString()", json!("2026-02-04T01:30:00.000Z")),
        ("new Date('2026-02-03').getDate()", json!(3)),
        ("new Date(2026, 1, 3, 4).getTime() === Date.UTC(2026, 1, 3, 4)", json!(true)),
        ("new Date(86400000).getHours()", json!(0)),
        ("new Date(0).getTimezoneOffset()", json!(0)),
        ("String(new Date(0))", json!("Thu, 01 Jan 1970 00:00:00 GMT")),
        ("new Date(new Date(5)).valueOf()", json!(5)),
        ("new Date(0) instanceof Date", json!(true)),
        ("Date.parse('1970-01-01T00:00:01Z')", json!(1000)),
        ("isNaN(new Date(NaN))", json!(true)),
    ] {
        assert_eq!(evaluated(expression), Ok(value), "{expression}");
    }
}

#[test]
fn a_module_that_is_none_is_told_where() {
    let broken = |text: &str| check_here(&script(text)).unwrap_err();
    let fault = broken("export function evolve(state) {\n  return state +;\n}");
    assert!(
        matches!(&fault.cause, Cause::Malformed(said) if said.starts_with("SyntaxError")),
        "{fault}"
    );
    assert!(matches!(fault.place, Some(Place { line: 2, .. })), "{fault:?}");
    assert_eq!(broken("").cause, Cause::NoEvolve);
    assert_eq!(broken("export const evolve = 5").cause, Cause::NoEvolve);
    assert_eq!(broken("function evolve() {}").cause, Cause::NoEvolve);
    for imports in
        ["import x from 'x'; export function evolve() {}", "import 'std'", "export * from './a.js'"]
    {
        assert!(
            matches!(broken(imports).cause, Cause::Malformed(_)),
            "{imports}: {}",
            broken(imports)
        );
    }
    assert_eq!(broken("await 0; export function evolve() {}").cause, Cause::Unfinished);
    let threw = broken("\nthrow new RangeError('no')");
    assert_eq!(threw.cause, Cause::Threw("RangeError: no".to_owned()));
    assert_eq!(threw.place.map(|place| place.line), Some(2));
    assert!(matches!(broken("export function evolve() {} \0").cause, Cause::Malformed(_)));
    let long = format!("export function evolve() {{}} //{}", "x".repeat(256 << 10));
    assert!(matches!(broken(&long).cause, Cause::SourceTooLarge(_)));
    let undone = broken("export const initial = () => 1; export function evolve() {}");
    let what = "a function".to_owned();
    assert_eq!(undone.cause, Cause::NotJson { pointer: String::new(), what });
}

#[test]
fn what_throws_is_named_with_its_event_and_its_line() {
    let program =
        script("export function evolve(state, event) {\n  if (event.data.n === 3) null.x;\n}");
    let fault = fault(&program, 5);
    assert_eq!((fault.at, fault.place.map(|place| place.line)), (at(3), Some(2)));
    assert!(
        fault
            .to_string()
            .starts_with("at event 103, version 3 of its stream: the fold threw TypeError")
    );
    for (thrown, said) in [("'a\"b'", r#""a\"b""#), ("5", "5"), ("{}", "a value of type object")] {
        let threw = evaluated(&format!("(() => {{ throw {thrown} }})()")).unwrap_err();
        assert_eq!(threw.cause, Cause::Threw(said.to_owned()));
    }
    let long = evaluated("(() => { throw new Error('x'.repeat(1e6)) })()").unwrap_err();
    assert!(long.to_string().len() < 600);
}

/// The same limits, and less time, so that the tests are quick.
fn bounded(program: &Program) -> Fault {
    let block = Block { time: Duration::from_millis(100), ..block(program, events(3)) };
    fold_here(&block).unwrap_err()
}

#[test]
fn what_loops_is_ended() {
    for body in [
        "while (event.data.n > 1);",
        "if (event.data.n > 1) try { for (;;); } finally { for (;;); }",
        "if (event.data.n > 1) for (;;) try { for (;;); } catch {}",
        "if (event.data.n > 1) /(a+)+$/.test('a'.repeat(40) + 'b');",
        "if (event.data.n > 1) { const a = []; a.length = 2 ** 32 - 1; a.indexOf(1); }",
        "if (event.data.n > 1) state.a = { get b() { for (;;); } };",
    ] {
        let fault = bounded(&evolving(body));
        let time = Cause::Time(Duration::from_millis(100));
        let last = if body.contains("get b") { 3 } else { 2 };
        assert_eq!((fault.cause, fault.at), (time, at(last)), "{body}");
    }
    let loads = bounded(&script("for (;;);"));
    assert_eq!((loads.cause, loads.at), (Cause::Time(Duration::from_millis(100)), None));
}

#[test]
fn what_allocates_is_ended() {
    for body in [
        "const all = []; for (;;) all.push('x'.repeat(1 << 20) + all.length);",
        "const all = []; for (;;) all.push({});",
        "let text = 'x'; for (;;) text += text + text.length;",
        "return new Array(1 << 28).fill(0);",
        "const all = new Map(); for (let n = 0; ; n++) all.set(n, [n]);",
        "return 'x'.repeat(2 ** 29).split('');",
    ] {
        let fault = fault(&evolving(body), 1);
        assert!(matches!(&fault.cause, Cause::Memory | Cause::Threw(_)), "{body}: {fault}");
        assert_eq!(fault.at, at(1), "{body}");
    }
    let grows = fault(&evolving("const all = []; for (;;) all.push({ all });"), 1);
    assert_eq!(grows.cause, Cause::Memory);
}

/// Wherever memory ends, in the middle of whatever, the interpreter can be taken down.
#[test]
fn memory_may_end_anywhere() {
    let source = "export const initial = { list: [], map: {} };
        export function evolve(state, event) {
            const seen = new Map(state.list.map((one) => [one.n, one]));
            class Mine { constructor(n) { this.n = n } get text() { return `${this.n}`.repeat(99) } }
            try { state.list.push({ n: event.data.n, text: new Mine(event.data.n).text }) } finally { seen.clear() }
            const found = /(\\d+)-(?<name>[a-z]+)/.exec('12-ab');
            const { name, ...rest } = { name: found.groups.name, date: new Date(5).toISOString() };
            for (const [key, value] of Object.entries(rest)) state.map[key + name] = value;
            return JSON.parse(JSON.stringify(state));
        }";
    let (all, mut ended) = (block(&script(source), events(5)), 0);
    for memory in (50_000..600_000).step_by(499) {
        match super::run(source, &all, super::Looks::AtEach, memory) {
            Ok(folded) => assert!(folded.state.contains("1970-01-01")),
            Err(fault) => {
                ended += 1;
                // Where it ends in the middle of an error, that error is all that is left of it.
                let is_known = matches!(
                    fault.cause,
                    Cause::Memory | Cause::Threw(_) | Cause::Malformed(_) | Cause::Unfinished
                );
                assert!(is_known, "{memory}: {fault}");
            }
        }
    }
    assert!(ended > 100, "{ended}");
}

#[test]
fn what_calls_itself_without_end_is_ended() {
    for body in [
        "const f = () => f() + 1; return f();",
        "const f = (n) => [n].map(f); return f(1);",
        "let deep = []; for (let n = 0; n < 1e5; n++) deep = [deep]; return JSON.stringify(deep);",
        "return new RegExp('('.repeat(1e5) + ')'.repeat(1e5));",
        "return JSON.parse('['.repeat(1e6));",
        "return eval('('.repeat(1e5) + ')'.repeat(1e5));",
    ] {
        let fault = fault(&evolving(body), 1);
        assert!(matches!(fault.cause, Cause::Stack | Cause::Threw(_)), "{body}: {fault}");
    }
    assert_eq!(fault(&evolving("const f = () => f() + 1; return f();"), 1).cause, Cause::Stack);
}

#[test]
fn a_state_that_is_no_json_is_named_with_the_event_that_made_it_so() {
    for (value, pointer, what) in [
        ("NaN", "", "NaN"),
        ("-Infinity", "", "-Infinity"),
        ("{ a: [1, Infinity] }", "/a/1", "Infinity"),
        ("{ 'b/c~': () => 1 }", "/b~1c~0", "a function"),
        ("{ a: class {} }", "/a", "a function"),
        ("{ a: Symbol('s') }", "/a", "a value of type symbol"),
        ("{ a: 1n }", "/a", "a BigInt: make it a text or a number"),
        ("{ a: new Date(0) }", "/a", "a Date: keep its toISOString()"),
        ("new Map([[1, 2]])", "", "an object of the class \"Map\""),
        ("new (class Account {})", "", "an object of the class \"Account\""),
        ("Object.create({})", "", "an object of the class \"Object\""),
        ("[undefined]", "/0", "undefined"),
        ("[, 1]", "/0", "undefined"),
        ("'\\ud800'", "", "a text with half a surrogate pair"),
        ("{ a: '\\udc00' }", "/a", "a text with half a surrogate pair"),
        ("(async () => 1)()", "", "a Promise: `evolve` must not be async"),
        (
            "(() => { const a = { b: [] }; a.b.push(a); return a })()",
            "/b/0",
            "an array or an object that is inside of itself",
        ),
    ] {
        let program = evolving(&format!("if (event.data.n >= 2) return {value};"));
        let fault = fault(&program, 4);
        let cause = Cause::NotJson { pointer: pointer.to_owned(), what: what.to_owned() };
        assert_eq!((fault.cause, fault.at), (cause, at(2)), "{value}");
    }
    let deep =
        evaluated("(() => { let a = []; for (let n = 0; n < 200; n++) a = [a]; return a })()");
    let what = "an array or an object deeper than 128".to_owned();
    assert_eq!(deep.unwrap_err().cause, Cause::NotJson { pointer: "/0".repeat(128), what });
    let throws = evaluated("({ get a() { throw new Error('mine') } })").unwrap_err();
    assert_eq!(throws.cause, Cause::Threw("Error: mine".to_owned()));
}

#[test]
fn a_state_that_grows_too_large_is_named_by_its_event() {
    let program = evolving("state['k' + event.data.n] = 'x'.repeat(300 << 10)");
    let fault = fault(&program, 6);
    assert_eq!((fault.cause, fault.at), (Cause::StateTooLarge, at(4)));
}

/// What JSON has comes back as it is: a state is written and read again at the end of each block.
#[test]
fn a_state_is_written_as_json_has_it() {
    for (expression, text) in [
        ("-0", "0"),
        ("1.0", "1"),
        ("9007199254740992", "9007199254740992"),
        ("-9007199254740992", "-9007199254740992"),
        ("0.1 + 0.2", "0.30000000000000004"),
        ("5e-324", "5e-324"),
        ("{ a: undefined, b: 1 }", r#"{"b":1}"#),
        ("{ a: undefined }", "{}"),
        ("Object.assign(Object.create(null), { a: 1 })", r#"{"a":1}"#),
        ("{ z: 1, a: 2, 1: 3 }", r#"{"1":3,"z":1,"a":2}"#),
        ("JSON.parse('{\"__proto__\": 1}')", r#"{"__proto__":1}"#),
        ("(() => { const a = {}; return [a, a] })()", "[{},{}]"),
        ("'\\u0000\\\"é😀\\u2028'", "\"\\u0000\\\"é😀\u{2028}\""),
    ] {
        assert_eq!(
            folded(&evolving(&format!("return ({expression});")), events(1)),
            text,
            "{expression}"
        );
    }
    assert_eq!(evaluated("2 ** 53 + 2").unwrap().as_f64(), Some(9_007_199_254_740_994.0));
    assert_eq!(evaluated("1e300").unwrap(), json!(1e300));
}

/// What a module hides beside its state is gone with its block, and so is what it does to globals.
#[test]
fn a_block_leaves_nothing_behind() {
    let program = script(
        "let count = 0; export const initial = 0;
         export function evolve() { Object.prototype.mine = 1; globalThis.more ??= 0; return ++count + globalThis.more++ }",
    );
    assert_eq!(folded(&program, events(3)), "5");
    assert_eq!(folded(&program, events(1)), "1");
}

/// What a module finds is the language, and nothing that reaches out of it.
#[test]
fn the_global_names_are_those_of_the_language() {
    let names = evaluated("Object.getOwnPropertyNames(globalThis).sort().join(' ')").unwrap();
    let language = "AggregateError Array AsyncDisposableStack BigInt Boolean Date DisposableStack Error \
                    EvalError Function Infinity InternalError Iterator JSON Map Math NaN Number Object \
                    Promise RangeError ReferenceError Reflect RegExp Set String SuppressedError Symbol \
                    SyntaxError TypeError URIError WeakMap WeakSet decodeURI decodeURIComponent encodeURI \
                    encodeURIComponent escape eval globalThis isFinite isNaN parseFloat parseInt undefined \
                    unescape";
    assert_eq!(names, language);
}

/// A module that replaces what the language has harms itself alone.
#[test]
fn what_a_module_replaces_does_not_confuse_the_sandbox() {
    let program = evolving(
        "Object.prototype.toJSON = () => 1; Array.prototype[Symbol.iterator] = null; JSON.stringify = null;
         JSON.parse = () => 7; globalThis.Object = null; Function.prototype.call = null; return [event.data.n];",
    );
    assert_eq!(folded(&program, events(1)), "[1]");
}

fn json_values() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        (-(1_i64 << 53)..(1_i64 << 53)).prop_map(Json::from),
        prop::num::f64::NORMAL.prop_map(Json::from),
        any::<String>().prop_map(Json::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

fn same(left: &Json, right: &Json) -> bool {
    match (left, right) {
        (Json::Number(left), Json::Number(right)) => left.as_f64() == right.as_f64(),
        (Json::Array(left), Json::Array(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Json::Object(left), Json::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(name, value)| right.get(name).is_some_and(|other| same(value, other)))
        }
        _ => left == right,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_json_goes_through_a_fold_as_it_is(value in json_values()) {
        let program = evolving("return event.data");
        let first = folded(&program, vec![event(1, &value)]);
        prop_assert!(same(&serde_json::from_str(&first).unwrap(), &value), "{} {}", first, value);
        let again = Block { from: Some(first.clone()), ..block(&program, vec![]) };
        prop_assert_eq!(fold_here(&again).unwrap().state, first);
    }
}
