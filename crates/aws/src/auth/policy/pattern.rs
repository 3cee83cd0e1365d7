//! Patterns: `*` is any run of characters, `?` any one, `${…}` a variable.

use super::{Context, PolicyError, Version};

/// A pattern, in one of two readings: with wildcards, or of literal text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    tokens: Vec<Token>,
    /// Whether upper and lower case are the same.
    fold: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Literal(char),
    One,
    Many,
    Variable { name: String, default: Option<String> },
}

impl Pattern {
    /// Reads a pattern; without `wild`, `*` and `?` are themselves.
    pub(super) fn read(text: &str, wild: bool, version: Version) -> Result<Pattern, PolicyError> {
        let mut tokens = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if version == Version::V2012
                && let Some(after) = rest.strip_prefix("${")
            {
                let Some((inside, after)) = after.split_once('}') else {
                    return Err(PolicyError::rule("a variable ${…} has no end"));
                };
                tokens.push(variable(inside)?);
                rest = after;
                continue;
            }
            tokens.push(match first {
                '*' if wild => Token::Many,
                '?' if wild => Token::One,
                _ => Token::Literal(first),
            });
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
        Ok(Pattern::of(tokens))
    }

    fn of(tokens: Vec<Token>) -> Pattern {
        Pattern { tokens, fold: false }
    }

    /// Any text.
    pub(super) fn any() -> Pattern {
        Pattern::of(vec![Token::Many])
    }

    /// The same in any case.
    pub(super) fn folded(self) -> Pattern {
        let mut tokens = Vec::with_capacity(self.tokens.len());
        for token in self.tokens {
            match token {
                Token::Literal(literal) => {
                    tokens.extend(literal.to_lowercase().map(Token::Literal))
                }
                token => tokens.push(token),
            }
        }
        Pattern { tokens, fold: true }
    }

    /// Whether the whole text fits. A variable that the context lacks fits nothing.
    pub(super) fn matches(&self, text: &str, context: &Context) -> bool {
        let text = self.characters(text);
        if !self.tokens.iter().any(|token| matches!(token, Token::Variable { .. })) {
            return fits(&self.tokens, &text);
        }
        self.expanded(context).is_some_and(|tokens| fits(&tokens, &text))
    }

    fn characters(&self, text: &str) -> Vec<char> {
        if self.fold {
            text.chars().flat_map(char::to_lowercase).collect()
        } else {
            text.chars().collect()
        }
    }

    /// Split at each colon that stands in the pattern itself, and not in a variable.
    pub(super) fn split_colons(self) -> Vec<Pattern> {
        let parts = self.tokens.split(|token| *token == Token::Literal(':'));
        parts.map(|part| Pattern::of(part.to_vec())).collect()
    }

    /// These patterns with colons between them.
    pub(super) fn join_colons(parts: Vec<Pattern>) -> Pattern {
        let parts: Vec<Vec<Token>> = parts.into_iter().map(|part| part.tokens).collect();
        Pattern::of(parts.join(&Token::Literal(':')))
    }

    fn expanded(&self, context: &Context) -> Option<Vec<Token>> {
        let mut tokens = Vec::with_capacity(self.tokens.len());
        for token in &self.tokens {
            let Token::Variable { name, default } = token else {
                tokens.push(token.clone());
                continue;
            };
            let value = context.single(name).or(default.as_deref())?;
            tokens.extend(self.characters(value).into_iter().map(Token::Literal));
        }
        Some(tokens)
    }
}

/// `${*}`, `${?}`, `${$}` are those characters; `${key, 'default'}` has a default.
fn variable(inside: &str) -> Result<Token, PolicyError> {
    match inside {
        "*" | "?" | "$" => return Ok(Token::Literal(inside.chars().next().unwrap_or('$'))),
        _ => {}
    }
    let (name, default) = match inside.split_once(',') {
        None => (inside, None),
        Some((name, default)) => {
            let quoted = default.trim().strip_prefix('\'').and_then(|d| d.strip_suffix('\''));
            let Some(default) = quoted else {
                return Err(PolicyError::rule("the default of a variable stands in '…'"));
            };
            (name, Some(default.to_owned()))
        }
    };
    let name = name.trim().to_ascii_lowercase();
    if name.is_empty() || name.contains(['$', '{', ' ']) {
        return Err(PolicyError::rule("a variable ${…} must name a key"));
    }
    Ok(Token::Variable { name, default })
}

/// Goes back to the last `*` only: an earlier one has nothing to gain, so this takes at most the
/// pattern's length times the text's.
fn fits(pattern: &[Token], text: &[char]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut last_many: Option<(usize, usize)> = None;
    while let Some(character) = text.get(from) {
        match pattern.get(at) {
            Some(Token::Many) => {
                last_many = Some((at, from));
                at += 1;
                continue;
            }
            Some(Token::One) => (at, from) = (at + 1, from + 1),
            Some(Token::Literal(literal)) if literal == character => {
                (at, from) = (at + 1, from + 1);
            }
            _ => match last_many {
                Some((many, start)) => {
                    last_many = Some((many, start + 1));
                    (at, from) = (many + 1, start + 1);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|token| *token == Token::Many)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        let pattern = Pattern::read(pattern, true, Version::V2008).unwrap();
        pattern.matches(text, &Context::new())
    }

    /// What the two wildcards mean, by definition.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (None, Some(_)) => false,
            (Some(('*', rest)), None) => naive(rest, text),
            (Some(('*', rest)), Some((_, after))) => naive(rest, text) || naive(pattern, after),
            (Some(_), None) => false,
            (Some(('?', rest)), Some((_, after))) => naive(rest, after),
            (Some((one, rest)), Some((other, after))) => one == other && naive(rest, after),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        #[test]
        fn matches_as_the_definition_does(
            pattern in "[ab*?\u{e9}]{0,12}",
            text in "[ab\u{e9}]{0,14}",
        ) {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(matches(&pattern, &text), naive(&chars(&pattern), &chars(&text)));
        }
    }

    #[test]
    fn wildcards_cover_whole_texts() {
        assert!(matches("", "") && matches("*", "") && matches("**", "any"));
        assert!(matches("orders-?", "orders-1") && !matches("orders-?", "orders-"));
        assert!(matches("*.fifo", "a.fifo.fifo") && !matches("*.fifo", "a.fif"));
        assert!(!matches("a", "ab") && !matches("ab", "a") && !matches("A", "a"));
    }

    /// The worst that the greedy walk can meet within a policy's bytes: it ends, and soon.
    #[test]
    fn a_hostile_pattern_takes_bounded_steps() {
        let pattern = "*a".repeat(4000) + "b";
        assert!(!matches(&pattern, &"a".repeat(8000)));
        let pattern = format!("*{}b", "a".repeat(4000));
        assert!(!matches(&pattern, &"a".repeat(8000)));
    }

    #[test]
    fn variables_stand_for_what_the_context_says() {
        let mut context = Context::new();
        context.set("aws:username", "bob*");
        let matches = |pattern: &str, text: &str| {
            Pattern::read(pattern, true, Version::V2012).unwrap().matches(text, &context)
        };
        assert!(matches("q-${aws:UserName}-?", "q-bob*-1"));
        assert!(!matches("q-${aws:username}", "q-bobby"), "a value has no wildcards");
        assert!(matches("${aws:none, 'x'}", "x") && !matches("${aws:none}", ""));
        assert!(matches("${*}${?}${$}", "*?$") && !matches("${*}", "a"));
    }

    #[test]
    fn a_folded_pattern_is_the_same_in_any_case() {
        let mut context = Context::new();
        context.set("aws:username", "BOB");
        let pattern = Pattern::read("Q-${aws:username}-*", true, Version::V2012).unwrap().folded();
        assert!(pattern.matches("q-bob-X", &context) && !pattern.matches("q-bab-x", &context));
    }

    #[test]
    fn the_older_version_has_no_variables() {
        assert!(matches("${aws:username}", "${aws:username}"));
    }

    #[test]
    fn a_variable_must_have_a_name_and_an_end() {
        for text in ["${", "${}", "${a", "${a,}", "${a, b}", "${ }", "${${a}}"] {
            assert!(Pattern::read(text, true, Version::V2012).is_err(), "{text}");
        }
    }
}
