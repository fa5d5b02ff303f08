//! What a GGUF file says of a tokenizer, from its `tokenizer.json`.

use std::collections::HashMap;

use serde_json::Value;

use crate::model::weights::gguf::Item;

/// Kinds of tokens, as llama.cpp numbers them.
mod kind {
    pub const NORMAL: i32 = 1;
    pub const UNKNOWN: i32 = 2;
    pub const CONTROL: i32 = 3;
    pub const USER: i32 = 4;
    pub const UNUSED: i32 = 5;
    pub const BYTE: i32 = 6;
}

/// The metadata of a tokenizer with a token for each of a model's `rows`; or why a GGUF file cannot say it.
pub fn metadata(
    json: &Value,
    rows: usize,
    [begin, end]: [Option<u32>; 2],
    begins: bool,
) -> Result<Vec<(String, Item)>, String> {
    let model = &json["model"];
    if model["type"].as_str().is_some_and(|kind| kind != "BPE") {
        return Err(format!("a tokenizer of the kind {} is not written there", model["type"]));
    }
    let vocabulary = model["vocab"].as_object().ok_or("the tokenizer has no vocabulary")?;
    let mut tokens: Vec<Option<(String, i32)>> = vec![None; rows];
    let place =
        |number: &Value| number.as_u64().and_then(|number| usize::try_from(number).ok()).filter(|at| *at < rows);
    let unknown = model["unk_token"].as_str();
    let by_bytes = model["byte_fallback"].as_bool() == Some(true);
    for (token, number) in vocabulary {
        let is_byte = by_bytes && token.len() == 6 && token.starts_with("<0x") && token.ends_with('>');
        let kind = match () {
            () if Some(token.as_str()) == unknown => kind::UNKNOWN,
            () if is_byte => kind::BYTE,
            () => kind::NORMAL,
        };
        if let Some(at) = place(number) {
            tokens[at] = Some((token.clone(), kind));
        }
    }
    for added in json["added_tokens"].as_array().into_iter().flatten() {
        if let (Some(at), Some(content)) = (place(&added["id"]), added["content"].as_str()) {
            let special = added["special"].as_bool() == Some(true);
            let unused = content.starts_with("<|unused row ");
            let own = if unused {
                kind::UNUSED
            } else if Some(content) == unknown {
                kind::UNKNOWN
            } else if special {
                kind::CONTROL
            } else {
                kind::USER
            };
            tokens[at] = Some((content.to_owned(), own));
        }
    }
    let tokens = tokens.into_iter().enumerate();
    let tokens = tokens.map(|(row, token)| token.unwrap_or_else(|| (format!("<|unused row {row}|>"), kind::UNUSED)));
    let (names, kinds): (Vec<String>, Vec<i32>) = tokens.unzip();
    let merges = merges(model)?;
    let mut metadata = Vec::new();
    let mut say = |key: &str, item: Item| metadata.push((format!("tokenizer.ggml.{key}"), item));
    if by_bytes {
        say("model", Item::Text("llama".to_owned()));
        say("pre", Item::Text("default".to_owned()));
        say("scores", Item::Floats(scores(&names, &merges)));
        let normalizers = json["normalizer"]["normalizers"].as_array().into_iter().flatten();
        let prepends = normalizers.chain([&json["normalizer"]]).any(|step| step["type"] == "Prepend");
        say("add_space_prefix", Item::Flag(prepends));
    } else {
        say("model", Item::Text("gpt2".to_owned()));
        say("pre", Item::Text(cut(&json["pre_tokenizer"])?.to_owned()));
        let joined = merges.iter().map(|[first, second]| format!("{first} {second}"));
        say("merges", Item::Texts(joined.collect()));
    }
    say("tokens", Item::Texts(names));
    say("token_type", Item::Integers(kinds));
    say("add_bos_token", Item::Flag(begins));
    for (name, token) in [("bos", begin), ("eos", end)] {
        if let Some(token) = token {
            say(&format!("{name}_token_id"), Item::Number(token));
        }
    }
    Ok(metadata)
}

/// What a model that knows no texts says of them.
pub fn without_texts() -> Vec<(String, Item)> {
    vec![("tokenizer.ggml.model".to_owned(), Item::Text("no_vocab".to_owned()))]
}

/// Pairs in their order; written as `"a b"` or as `["a", "b"]`.
fn merges(model: &Value) -> Result<Vec<[String; 2]>, String> {
    let pair = |merge: &Value| match merge {
        Value::String(text) => text.split_once(' ').map(|(first, second)| [first.to_owned(), second.to_owned()]),
        Value::Array(parts) => match parts.as_slice() {
            [Value::String(first), Value::String(second)] => Some([first.clone(), second.clone()]),
            _ => None,
        },
        _ => None,
    };
    let all = model["merges"].as_array().into_iter().flatten();
    all.map(|merge| pair(merge).ok_or_else(|| format!("a merge is not of two tokens: {merge}"))).collect()
}

/// Scores by which llama.cpp merges what the merges merge, in their order: the less the later.
fn scores(names: &[String], merges: &[[String; 2]]) -> Vec<f32> {
    let mut rank: HashMap<String, usize> = HashMap::new();
    for (number, [first, second]) in merges.iter().enumerate() {
        rank.entry(format!("{first}{second}")).or_insert(number);
    }
    // What no merge makes is never asked for.
    names.iter().map(|name| rank.get(name).map_or(0.0, |rank| -(*rank as f32) - 1.0)).collect()
}

/// llama.cpp's name for how texts are cut; there are only names, and no expressions.
fn cut(pre: &Value) -> Result<&'static str, String> {
    let steps: Vec<&Value> = match pre["pretokenizers"].as_array() {
        Some(steps) => steps.iter().collect(),
        None => vec![pre],
    };
    let expressions: Vec<&str> = steps.iter().filter_map(|step| step["pattern"]["Regex"].as_str()).collect();
    let has = |kind: &str| steps.iter().any(|step| step["type"] == kind);
    let has_bytes = has("ByteLevel");
    let name = match expressions.as_slice() {
        [] if has_bytes && has("Digits") => Some("smollm"),
        [] if has_bytes => Some("gpt-2"),
        [one] if has_bytes && one.contains(r"\p{N}{1,3}") => Some("llama-bpe"),
        [one] if has_bytes && one.contains(r"|\p{N}|") => Some("qwen2"),
        _ => None,
    };
    name.ok_or_else(|| "llama.cpp has no name for how this tokenizer cuts texts".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item<'m>(metadata: &'m [(String, Item)], key: &str) -> &'m Item {
        let key = format!("tokenizer.ggml.{key}");
        &metadata.iter().find(|(own, _)| *own == key).unwrap_or_else(|| panic!("no {key}")).1
    }

    #[test]
    fn tokens_on_bytes_are_written_with_their_merges_and_kinds() {
        let json = json!({
            "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]},
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                {"type": "Digits", "individual_digits": true}, {"type": "ByteLevel"}]},
            "added_tokens": [{"id": 3, "content": "<eos>", "special": true}, {"id": 5, "content": "<a_1>", "special": false}],
        });
        let written = metadata(&json, 6, [None, Some(3)], false).unwrap();
        let texts = |texts: &[&str]| Item::Texts(texts.iter().map(|text| (*text).to_owned()).collect());
        assert_eq!(*item(&written, "tokens"), texts(&["a", "b", "ab", "<eos>", "<|unused row 4|>", "<a_1>"]));
        assert_eq!(*item(&written, "token_type"), Item::Integers(vec![1, 1, 1, 3, 5, 4]));
        assert_eq!(*item(&written, "merges"), texts(&["a b"]));
        assert_eq!(*item(&written, "pre"), Item::Text("smollm".to_owned()));
        assert_eq!(*item(&written, "eos_token_id"), Item::Number(3));
    }

    #[test]
    fn tokens_with_bytes_as_a_last_resort_have_scores() {
        let json = json!({
            "model": {"type": "BPE", "byte_fallback": true, "unk_token": "<unk>",
                "vocab": {"<unk>": 0, "<0x0A>": 1, "a": 2, "b": 3, "ab": 4, "abb": 5}, "merges": ["a b", "ab b"]},
            "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}]},
        });
        let written = metadata(&json, 6, [None, None], true).unwrap();
        assert_eq!(*item(&written, "scores"), Item::Floats(vec![0.0, 0.0, 0.0, 0.0, -1.0, -2.0]));
        assert_eq!(*item(&written, "token_type"), Item::Integers(vec![2, 6, 1, 1, 1, 1]));
        assert_eq!(*item(&written, "add_space_prefix"), Item::Flag(true));
        assert_eq!(*item(&written, "add_bos_token"), Item::Flag(true));
    }

    #[test]
    fn what_llama_cpp_cannot_cut_is_refused() {
        let json = json!({"model": {"type": "BPE", "vocab": {}, "merges": []},
            "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "x"}}});
        assert!(metadata(&json, 1, [None, None], false).unwrap_err().contains("cuts texts"));
        let json = json!({"model": {"type": "Unigram"}});
        assert!(metadata(&json, 1, [None, None], false).unwrap_err().contains("Unigram"));
    }
}
