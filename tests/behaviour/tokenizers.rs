//! Tokenizers and prompts against the `tokenizers` package of Python and Transformers.
//!
//! `tests/fixtures/models/tokenizers.json` holds a small vocabulary with merges and one as SentencePiece's, texts, and the
//! tokens that Python gets with the steps that the `tokenizer.json` of SmolLM2, Llama 3 and Qwen2 have.

use std::path::Path;

use peso_workbench::data::{Dataset, DatasetSource, Example, SyntheticOptions};
use peso_workbench::model::prompt::{INSTRUCTION, Part, Template};
use peso_workbench::model::tokenizer::Tokenizer;
use peso_workbench::model::{LlamaConfig, Prompt, PromptWriter, Vocabulary};
use peso_workbench::semantic_id::SemanticIndex;
use serde_json::Value as Json;

use crate::base_models::models;
use crate::gguf_file::{Value, write};

fn fixture() -> Json {
    serde_json::from_str(&std::fs::read_to_string(models().join("tokenizers.json")).unwrap()).unwrap()
}

fn from<T: serde::de::DeserializeOwned>(value: &Json) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

/// A GGUF file of the vocabulary with merges.
fn byte_level(path: &Path, fixture: &Json, pre: &str) -> Tokenizer {
    let number = |name: &str| Value::Number(from(&fixture[name]));
    write(
        path,
        &[
            ("tokenizer.ggml.model", Value::Text("gpt2".to_owned())),
            ("tokenizer.ggml.pre", Value::Text(pre.to_owned())),
            ("tokenizer.ggml.tokens", Value::Texts(from(&fixture["tokens"]))),
            ("tokenizer.ggml.merges", Value::Texts(from(&fixture["merges"]))),
            ("tokenizer.ggml.token_type", Value::Numbers(from(&fixture["types"]))),
            ("tokenizer.ggml.bos_token_id", number("bos")),
            ("tokenizer.ggml.eos_token_id", number("eos")),
        ],
    );
    Tokenizer::open(path).unwrap()
}

#[test]
fn tokenizers_rebuilt_from_gguf_files_give_the_tokens_of_python() {
    let (fixture, folder) = (fixture(), tempfile::tempdir().unwrap());
    let texts: Vec<String> = from(&fixture["texts"]);
    for pre in ["gpt-2", "smollm", "llama-bpe", "qwen2"] {
        let tokenizer = byte_level(&folder.path().join("model.gguf"), &fixture, pre);
        for (text, ids) in texts.iter().zip(fixture["ids"][pre].as_array().unwrap()) {
            assert_eq!(tokenizer.encode(text, true).unwrap(), from::<Vec<u32>>(ids), "{pre}: {text:?}");
        }
    }
    let spm = &fixture["spm"];
    let path = folder.path().join("spm.gguf");
    write(
        &path,
        &[
            ("tokenizer.ggml.model", Value::Text("llama".to_owned())),
            ("tokenizer.ggml.tokens", Value::Texts(from(&spm["tokens"]))),
            ("tokenizer.ggml.scores", Value::Floats(from(&spm["scores"]))),
            ("tokenizer.ggml.token_type", Value::Numbers(from(&spm["types"]))),
            ("tokenizer.ggml.bos_token_id", Value::Number(1)),
            ("tokenizer.ggml.unknown_token_id", Value::Number(0)),
            ("tokenizer.ggml.add_bos_token", Value::Flag(true)),
        ],
    );
    let tokenizer = Tokenizer::open(&path).unwrap();
    let texts: Vec<String> = from(&spm["texts"]);
    for (text, ids) in texts.iter().zip(spm["ids"].as_array().unwrap()) {
        assert_eq!(tokenizer.encode(text, true).unwrap(), from::<Vec<u32>>(ids), "SentencePiece: {text:?}");
    }
}

/// llama.cpp has one expression under several names (`llama-vocab.cpp`): what they give is what the first gives.
#[test]
fn names_of_the_same_way_to_cut_texts_are_read() {
    let (fixture, folder) = (fixture(), tempfile::tempdir().unwrap());
    let texts: Vec<String> = from(&fixture["texts"]);
    let path = folder.path().join("model.gguf");
    // Qwen2's own tokenizer puts letters and their accents together first, the others of its expression do not.
    let composed = |text: &&String| !text.contains('\u{301}');
    for (first, names) in [
        ("gpt-2", &["phi-2", "mellum", "gigachat", "exaone4", "mpt", "olmo"][..]),
        ("smollm", &["starcoder", "command-r", "codeshell", "exaone", "minerva-7b"]),
        ("llama-bpe", &["llama3", "llama-v3", "falcon3", "pixtral", "lfm2"]),
        ("qwen2", &["deepseek-r1-qwen", "kormo", "megrez", "stablelm2", "hunyuan", "grok-2"]),
    ] {
        let encoded = |name: &str| -> Vec<Vec<u32>> {
            let tokenizer = byte_level(&path, &fixture, name);
            texts.iter().filter(composed).map(|text| tokenizer.encode(text, true).unwrap()).collect()
        };
        let expected = encoded(first);
        for name in names {
            assert_eq!(encoded(name), expected, "{name} cuts as {first}");
        }
    }
    // Llama 3's expression without its beginning of texts.
    let plain = |name: &str| -> Vec<Vec<u32>> {
        let tokenizer = byte_level(&path, &fixture, name);
        texts.iter().map(|text| tokenizer.encode(text, false).unwrap()).collect()
    };
    assert_eq!(plain("smaug-bpe"), plain("llama-bpe"));
    assert_eq!(byte_level(&path, &fixture, "dbrx").beginning(), None);
}

#[test]
fn tokens_that_are_no_text_are_shown_as_bytes() {
    let tokenizer = Tokenizer::open(&models().join("tokenizer.json")).unwrap();
    let tokens = tokenizer.encode("用a", false).unwrap();
    let shown: Vec<String> = tokens.iter().map(|&token| tokenizer.token_text(token).unwrap()).collect();
    assert_eq!(shown, ["<E7>", "<94>", "<A8>", "a"], "UTF-8 of 用 is E7 94 A8");
}

#[test]
fn an_unknown_way_to_cut_texts_is_named() {
    let (fixture, folder) = (fixture(), tempfile::tempdir().unwrap());
    let path = folder.path().join("model.gguf");
    byte_level(&path, &fixture, "default");
    write(
        &path,
        &[
            ("tokenizer.ggml.model", Value::Text("gpt2".to_owned())),
            ("tokenizer.ggml.pre", Value::Text("tekken".to_owned())),
            ("tokenizer.ggml.tokens", Value::Texts(from(&fixture["tokens"]))),
            ("tokenizer.ggml.merges", Value::Texts(from(&fixture["merges"]))),
        ],
    );
    let error = Tokenizer::open(&path).unwrap_err().to_string();
    assert!(error.contains("tekken") && error.contains("tokenizer.ggml.pre"), "{error}");
    let error = Tokenizer::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("there is no tokenizer"), "{error}");
    // Merges of tokens longer than any in the vocabulary, on which the library panics.
    let json = std::fs::read_to_string(models().join("tokenizer.json")).unwrap();
    let broken = json.replacen("\"merges\": [", "\"merges\": [[\"{\", \"{\"],", 1).replacen(
        "\"merges\":[",
        "\"merges\":[[\"{\",\"{\"],",
        1,
    );
    assert_ne!(json, broken);
    std::fs::write(folder.path().join("tokenizer.json"), broken).unwrap();
    let error = Tokenizer::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("not a tokenizer") && error.contains("tokenizer.json"), "{error}");
}

struct Case {
    dataset: Dataset,
    tokenizer: Tokenizer,
    config: LlamaConfig,
}

impl Case {
    fn new() -> Self {
        let options = SyntheticOptions { users: 30, items: 40, stages: 2, codes: 5, ..SyntheticOptions::default() };
        let dataset = Dataset::load(&DatasetSource::Synthetic(options), None, Path::new(".")).unwrap();
        let fixture = fixture();
        let mut config = LlamaConfig::read(&models().join("llama/config.json")).unwrap();
        config.vocabulary = 600;
        config.eos = Some(from(&fixture["eos"]));
        Self { dataset, tokenizer: Tokenizer::open(&models().join("tokenizer.json")).unwrap(), config }
    }

    fn index(&self) -> &SemanticIndex {
        &self.dataset.index
    }

    fn vocabulary(&self, prompt: &Prompt) -> Vocabulary {
        Vocabulary::of_prompt(prompt, &self.config, || Ok(self.tokenizer.clone()), self.index()).unwrap()
    }

    fn writer<'a>(&'a self, vocabulary: &'a Vocabulary) -> PromptWriter<'a> {
        PromptWriter { vocabulary, index: self.index(), max_history: 20, existing: None }
    }
}

#[test]
fn the_instruction_is_tokenised_as_by_a_tokenizer_with_the_codes_added() {
    let case = Case::new();
    let vocabulary = case.vocabulary(&Prompt::Instruction);
    let Template { before, between, after } = &vocabulary.template;
    // Python's tokens of the instruction around two items of two codes, whose tokens are the first after its own; then the
    // response.
    let expected: Vec<u32> = from(&fixture()["instruction"]);
    let (a, b) = (522, 523);
    let got = [before.as_slice(), &[a, b], between, &[a, b], after, &[a, b]].concat();
    assert_eq!(got, expected);
    assert!(INSTRUCTION.starts_with("Below is an instruction") && INSTRUCTION.ends_with("### Response:"));
    assert_eq!((vocabulary.first_code, vocabulary.added), (600, case.index().tokens.len()));
}

#[test]
fn a_prompt_is_text_around_codes_and_the_response_ends_with_the_models_own_end() {
    let case = Case::new();
    let user = case.dataset.stages[0].participants().next().unwrap();
    let example = user.test().unwrap();
    for prompt in [
        Prompt::Compact,
        Prompt::Instruction,
        Prompt::Paper,
        Prompt::Custom("History: {history}\nNext:".to_owned()),
        Prompt::Custom("{history}".to_owned()),
    ] {
        let vocabulary = case.vocabulary(&prompt);
        let writer = case.writer(&vocabulary);
        let sequence = writer.example(example);
        let [branch] = sequence.branches.as_slice() else { panic!("one branch") };
        let whole = [sequence.prefix.as_slice(), &branch.tokens].concat();
        let levels = case.index().levels;
        let codes: Vec<u32> = case.index().item(example.target).iter().map(|&code| vocabulary.code(code)).collect();
        assert_eq!(whole[whole.len() - levels..], codes, "{prompt:?}");
        assert_eq!(branch.targets, [codes.as_slice(), &[vocabulary.eos]].concat());
        assert_eq!(branch.tokens.len() - branch.read_only, branch.targets.len(), "one token for each target");
        assert!(whole.iter().all(|&token| (token as usize) < vocabulary.tokens()));
        // The question is the example without its response.
        let question = writer.question(example.history);
        let asked = [question.prefix.as_slice(), &question.branches[0].tokens].concat();
        assert_eq!(asked, whole[..whole.len() - levels]);
        assert_eq!(question.branches[0].tokens.len() - question.branches[0].read_only, 1, "one token is scored");
        let history = asked.iter().filter(|&&token| token >= vocabulary.first_code).count();
        assert_eq!(history, example.history.len().min(20) * levels);
        // Nobody is without something to read.
        let nothing = writer.example(Example { history: &[], ..example });
        assert!(
            !nothing.branches[0].tokens.is_empty() && nothing.branches[0].targets.len() == levels + 1,
            "{prompt:?}"
        );
    }
}

#[test]
fn a_preview_shows_text_history_and_response() {
    let case = Case::new();
    let user = case.dataset.stages[0].participants().next().unwrap();
    let example = user.test().unwrap();
    let vocabulary = case.vocabulary(&Prompt::Instruction);
    let preview = case.writer(&vocabulary).preview(example, Some(&case.tokenizer));
    let text = preview.text;
    let written = |item: u32| -> String {
        case.index().item(item).iter().map(|&code| case.index().tokens[code as usize].as_str()).collect()
    };
    let history: Vec<String> =
        example.history[example.history.len().saturating_sub(20)..].iter().map(|&item| written(item)).collect();
    let expected = INSTRUCTION.replace("{history}", &history.join(", ")) + &written(example.target) + "<|end_of_text|>";
    assert_eq!(text, expected);
    let response = preview.tokens.iter().filter(|token| token.part == Part::Response).count();
    assert_eq!(response, case.index().levels + 1);
    assert!(preview.sharing.contains("each reads the"), "{}", preview.sharing);
    // A letter that is several tokens is whole.
    let chinese = "用户看过 {history}，下一个：";
    let vocabulary = case.vocabulary(&Prompt::Custom(chinese.to_owned()));
    let preview = case.writer(&vocabulary).preview(example, Some(&case.tokenizer));
    let expected = chinese.replace("{history}", &history.join(", ")) + &written(example.target) + "<|end_of_text|>";
    assert_eq!(preview.text, expected);
    let vocabulary = case.vocabulary(&Prompt::Compact);
    let preview = case.writer(&vocabulary).preview(example, None);
    assert!(preview.text.starts_with("[start]<") && preview.text.contains("[separator]<"), "{}", preview.text);
}

#[test]
fn a_prompt_without_a_place_for_the_history_is_refused() {
    for text in ["no place", "{history} and {history}"] {
        assert!(Prompt::Custom(text.to_owned()).parts().is_err(), "{text}");
    }
    let mut case = Case::new();
    case.config.vocabulary = 100;
    let open = || Ok(case.tokenizer.clone());
    let error = Vocabulary::of_prompt(&Prompt::Instruction, &case.config, open, case.index()).unwrap_err().to_string();
    assert!(error.contains("not in the model's 100 rows"), "{error}");
    case.config.eos = None;
    let open = || Ok(case.tokenizer.clone());
    let error = Vocabulary::of_prompt(&Prompt::Paper, &case.config, open, case.index()).unwrap_err().to_string();
    assert!(error.contains("ends a text"), "{error}");
}
