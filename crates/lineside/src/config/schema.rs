//! The JSON schema of the file, for editors that complete and check YAML by one.

use serde_json::{Map, Value, json};

use super::form::Form;
use super::table::{KEYS, Key};

/// The whole schema.
pub(crate) fn schema() -> Value {
    let mut schema = group(KEYS);
    if let Some(map) = schema.as_object_mut() {
        let dialect = "https://json-schema.org/draft/2020-12/schema";
        map.insert("$schema".to_owned(), dialect.into());
        map.insert("title".to_owned(), "lineside.yaml".into());
    }
    schema
}

fn group(keys: &[Key]) -> Value {
    let property = |key: &Key| (key.name.to_owned(), described(key));
    let properties: Map<String, Value> = keys.iter().map(property).collect();
    let needed: Vec<&str> = keys.iter().filter(|key| key.needed).map(|key| key.name).collect();
    let mut schema =
        json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if let (false, Some(map)) = (needed.is_empty(), schema.as_object_mut()) {
        map.insert("required".to_owned(), needed.into());
    }
    schema
}

fn described(key: &Key) -> Value {
    let mut schema = of(&key.form);
    if let Some(map) = schema.as_object_mut() {
        map.insert("description".to_owned(), key.about.into());
        if !key.default.is_empty() {
            map.insert("default".to_owned(), default(key));
        }
    }
    schema
}

fn default(key: &Key) -> Value {
    match key.form {
        Form::Whole { .. } | Form::Switch => {
            serde_json::from_str(key.default).unwrap_or_else(|_| key.default.into())
        }
        _ => key.default.into(),
    }
}

fn of(form: &Form) -> Value {
    match form {
        Form::Path(_) => json!({ "type": "string", "minLength": 1 }),
        Form::Words(words) => {
            json!({ "enum": words.iter().map(|(word, _)| *word).collect::<Vec<_>>() })
        }
        Form::Whole { least, most } => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Form::Switch => json!({ "type": "boolean" }),
        // A word of digits is a number to YAML, and a text here: an account need not be quoted.
        Form::Text(text) => json!({ "type": ["string", "integer"], "pattern": text.pattern }),
        Form::Texts { most, .. } => json!({
            "type": "object", "maxProperties": most,
            "additionalProperties": { "type": ["string", "number", "boolean"] },
        }),
        Form::WordsOrNames { words: [], most, name } => json!({
            "type": "array", "maxItems": most, "items": of(&Form::Text(*name)),
        }),
        Form::WordsOrNames { words, most, name } => json!({ "oneOf": [
            { "enum": words.iter().map(|(word, _)| *word).collect::<Vec<_>>() },
            { "type": "array", "maxItems": most, "items": of(&Form::Text(*name)) },
        ] }),
        Form::Group(keys) => group(keys),
        Form::GroupOrNone(keys) => json!({ "oneOf": [{ "const": "none" }, group(keys)] }),
        Form::List(keys) => json!({ "type": "array", "items": group(keys) }),
        Form::Named { keys, name, most } => json!({
            "type": "object", "maxProperties": most,
            "propertyNames": { "pattern": name.pattern }, "additionalProperties": group(keys),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of a schema's properties, and those inside of them.
    fn names(schema: &Value, found: &mut Vec<String>) {
        match schema {
            Value::Object(map) => {
                if let Some(Value::Object(properties)) = map.get("properties") {
                    found.extend(properties.keys().cloned());
                }
                map.values().for_each(|inner| names(inner, found));
            }
            Value::Array(all) => all.iter().for_each(|inner| names(inner, found)),
            _ => {}
        }
    }

    fn table_names(keys: &'static [Key], found: &mut Vec<String>) {
        for key in keys {
            found.push(key.name.to_owned());
            table_names(key.form.keys(), found);
        }
    }

    #[test]
    fn the_schema_has_the_tables_keys_and_no_other() {
        let (mut of_schema, mut of_table) = (Vec::new(), Vec::new());
        names(&schema(), &mut of_schema);
        table_names(KEYS, &mut of_table);
        of_schema.sort_unstable();
        of_table.sort_unstable();
        assert_eq!(of_schema, of_table);
    }

    #[test]
    fn no_section_takes_what_it_does_not_know() {
        let text = schema().to_string();
        let sections = text.matches("\"properties\":").count();
        assert_eq!(text.matches("\"additionalProperties\":false").count(), sections);
    }
}
