//! Writes a model as one GGUF file, in float32, as llama.cpp reads it; its `llama-quantize` makes smaller ones.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::architecture::{LOCAL_THETA, ROPE_FACTORS, usual_scalar, usual_windows};
use super::names::{paired_row, tensor_name};
use crate::error::InputError;
use crate::files;
use crate::model::adapter::Matrix;
use crate::model::config::{Activation, Family, LlamaConfig, Rope, Scaling};
use crate::model::llama::Llama;

/// A value of the metadata that is written.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    Number(u32),
    Float(f32),
    Flag(bool),
    Text(String),
    Texts(Vec<String>),
    Integers(Vec<i32>),
    Floats(Vec<f32>),
}

/// Keys with their values, in the order in which they are written.
pub type Metadata = Vec<(String, Item)>;

const ALIGNMENT: u64 = 32;
/// Number of float32 among the types of tensors.
const F32: u32 = 0;
/// What is said of the context where the model does not say how long it may be.
const USUAL_CONTEXT: usize = 4096;

/// Writes a model without an adapter; rows of added tokens follow the base model's. `tokenizer` is what the file says of texts.
///
/// # Errors
/// Something of the model has no place in such a file, or it cannot be written.
pub fn write_gguf<B: Backend>(
    file: &Path,
    model: &mut Llama<B>,
    config: &LlamaConfig,
    name: &str,
    tokenizer: Metadata,
) -> Result<(), InputError> {
    let refused = |problem: String| {
        InputError::new(file, problem).advice("`peso adapter merge` without `--gguf` writes a folder")
    };
    let mut parts: BTreeMap<String, Vec<Tensor<B, 2>>> = BTreeMap::new();
    // Base rows are visited before the added ones.
    model.visit(&mut |name, _, tensor| {
        parts.entry(name.trim_end_matches(".added").to_owned()).or_default().push(tensor.clone());
    });
    let rows = |parts: &Vec<Tensor<B, 2>>| parts.iter().map(|part| part.dims()[0]).sum::<usize>();
    let tokens = parts.get("model.embed_tokens.weight").map_or(0, rows);
    let mut metadata = architecture(config, name, tokens).map_err(&refused)?;
    metadata.extend(tokenizer);
    let mut tensors = Vec::new();
    if let Some(factors) = factors(&config.rope, config.head_width) {
        tensors.push(Tensors {
            name: ROPE_FACTORS.to_owned(),
            shape: vec![factors.len()],
            values: Box::new(move || factors.clone()),
        });
    }
    for (own, parts) in parts {
        let name = tensor_name(config.family, &own)
            .ok_or_else(|| refused(format!("the tensor {own} has no name in such a file")))?;
        let [rows, columns] = [rows(&parts), parts.first().map_or(0, |part| part.dims()[1])];
        let is_vector = rows == 1 && (own.contains("norm") || own.ends_with(".bias"));
        let heads = own.contains(".q_proj.") || own.contains(".k_proj.");
        let is_paired = heads && config.family.gguf_key() == Family::Llama.gguf_key();
        // Gemma's norms multiply by 1 + w, which such files have worked out.
        let is_from_one = config.gemma.is_some() && own.ends_with("norm.weight");
        let width = config.head_width;
        let values = move || {
            let values: Vec<f32> = parts.iter().flat_map(|part| Matrix::from_tensor(part.clone()).values).collect();
            if is_from_one {
                return values.into_iter().map(|value| value + 1.0).collect();
            }
            if is_paired { paired(&values, if is_vector { 1 } else { columns }, width) } else { values }
        };
        // Innermost first.
        let shape = if is_vector { vec![columns] } else { vec![columns, rows] };
        tensors.push(Tensors { name, shape, values: Box::new(values) });
    }
    files::write_pieces_atomically(file, |file| write(file, &metadata, &tensors))
}

/// The rows of queries or keys in the order in which the architecture `llama` has them.
fn paired(values: &[f32], columns: usize, head_width: usize) -> Vec<f32> {
    let mut laid = vec![0.0; values.len()];
    for (row, of_row) in values.chunks_exact(columns).enumerate() {
        let to = paired_row(row, head_width) * columns;
        laid[to..to + columns].copy_from_slice(of_row);
    }
    laid
}

/// What the file says of the model's shape; or what of it cannot be said.
fn architecture(config: &LlamaConfig, name: &str, tokens: usize) -> Result<Metadata, String> {
    if config.experts.is_some() {
        return Err("models with experts are not written as GGUF files; llama.cpp's convert_hf_to_gguf.py makes one of the folder".to_owned());
    }
    let key = config.family.gguf_key();
    let usual = if config.gemma.is_some() { Activation::GeluTanh } else { Activation::Silu };
    if config.activation != usual {
        return Err(format!("only {} is known there as the activation of {}", usual.key(), config.family.name()));
    }
    match &config.rope.scaling {
        Some(Scaling::Yarn(_)) => return Err("rotations by YaRN are not written".to_owned()),
        Some(Scaling::Llama3(_) | Scaling::Factors(_)) if key != Family::Llama.key() => {
            return Err(format!("rotations with factors of their own are not read there of {}", config.family.name()));
        }
        _ => {}
    }
    let own = |name: &str| format!("{key}.{name}");
    let number = |value: usize| Item::Number(u32::try_from(value).unwrap_or(u32::MAX));
    let mut metadata = vec![
        ("general.architecture".to_owned(), Item::Text(key.to_owned())),
        ("general.name".to_owned(), Item::Text(name.to_owned())),
        ("general.alignment".to_owned(), Item::Number(ALIGNMENT as u32)),
        ("general.file_type".to_owned(), Item::Number(0)),
        (own("vocab_size"), number(tokens)),
        (own("context_length"), number(config.context.unwrap_or(USUAL_CONTEXT))),
        (own("embedding_length"), number(config.width)),
        (own("block_count"), number(config.layers)),
        (own("feed_forward_length"), number(config.ffn)),
        (own("attention.head_count"), number(config.heads)),
        (own("attention.head_count_kv"), number(config.kv_heads)),
        (own("attention.key_length"), number(config.head_width)),
        (own("attention.value_length"), number(config.head_width)),
        (own("attention.layer_norm_rms_epsilon"), Item::Float(config.norm_epsilon as f32)),
        (own("rope.dimension_count"), number(config.head_width)),
        (own("rope.freq_base"), Item::Float(config.rope.theta as f32)),
    ];
    for (name, item) in windows(config)? {
        metadata.push((own(name), item));
    }
    if let Some(Scaling::Linear(factor)) = &config.rope.scaling {
        metadata.push((own("rope.scaling.type"), Item::Text("linear".to_owned())));
        metadata.push((own("rope.scaling.factor"), Item::Float(*factor as f32)));
    }
    Ok(metadata)
}

/// What the file says of windows and caps; or what llama.cpp takes for granted of a family and this model has otherwise.
fn windows(config: &LlamaConfig) -> Result<Vec<(&'static str, Item)>, String> {
    let family = config.family.name();
    let Some(gemma) = &config.gemma else {
        return match config.sliding {
            None => Ok(Vec::new()),
            Some(_) => Err(format!("windows of attention are not known there of {family}")),
        };
    };
    let scalar = usual_scalar(config.family, config.layers, config.width, config.heads, config.head_width);
    if gemma.query_scalar != scalar {
        return Err(format!(
            "scores are divided there by the root of {scalar}, and in this model of {}",
            gemma.query_scalar
        ));
    }
    let usual = usual_windows(config.family, config.layers);
    let sliding = config.sliding.as_ref().filter(|sliding| usual.as_ref() == Some(&sliding.layers));
    let Some(sliding) = sliding else {
        return Err(format!("layers with a window are always the same there of {family}, and not those of this model"));
    };
    if sliding.rope.as_ref().is_some_and(|rope| *rope != (Rope { theta: LOCAL_THETA, scaling: None })) {
        return Err(format!("rotations in layers with a window have the base {LOCAL_THETA} there"));
    }
    let cap = |cap: f64| Item::Float(cap as f32);
    let window = ("attention.sliding_window", Item::Number(u32::try_from(sliding.window).unwrap_or(u32::MAX)));
    match (config.family, gemma.attention_cap, gemma.logit_cap) {
        (Family::Gemma2, Some(attention), Some(logits)) => {
            Ok(vec![window, ("attn_logit_softcapping", cap(attention)), ("final_logit_softcapping", cap(logits))])
        }
        (Family::Gemma2, ..) => Err("scores and logits are always capped there".to_owned()),
        (_, None, None) => Ok(vec![window]),
        _ => Err(format!("capped scores and logits are not known there of {family}")),
    }
}

/// What each pair's rotation is divided by, where that is not one number for all.
fn factors(rope: &Rope, head_width: usize) -> Option<Vec<f32>> {
    if !matches!(rope.scaling, Some(Scaling::Llama3(_) | Scaling::Factors(_))) {
        return None;
    }
    let plain = Rope { theta: rope.theta, scaling: None }.frequencies(head_width);
    let pairs = plain.into_iter().zip(rope.frequencies(head_width));
    Some(pairs.map(|(plain, stretched)| (plain / stretched) as f32).collect())
}

/// A tensor that is written when it is its turn, so that a model need not lie in memory twice.
struct Tensors<'a> {
    name: String,
    /// Innermost first.
    shape: Vec<usize>,
    values: Box<dyn Fn() -> Vec<f32> + 'a>,
}

impl Tensors<'_> {
    fn bytes(&self) -> u64 {
        4 * self.shape.iter().map(|&size| size as u64).product::<u64>()
    }
}

fn write(file: &mut impl Write, metadata: &Metadata, tensors: &[Tensors<'_>]) -> io::Result<()> {
    let mut header = Vec::new();
    header.extend(b"GGUF");
    header.extend(3u32.to_le_bytes());
    header.extend((tensors.len() as u64).to_le_bytes());
    header.extend((metadata.len() as u64).to_le_bytes());
    for (key, value) in metadata {
        text(&mut header, key);
        item(&mut header, value);
    }
    let mut at = 0u64;
    for tensor in tensors {
        text(&mut header, &tensor.name);
        header.extend((tensor.shape.len() as u32).to_le_bytes());
        tensor.shape.iter().for_each(|&size| header.extend((size as u64).to_le_bytes()));
        header.extend(F32.to_le_bytes());
        header.extend(at.to_le_bytes());
        at += tensor.bytes().next_multiple_of(ALIGNMENT);
    }
    header.resize(header.len().next_multiple_of(ALIGNMENT as usize), 0);
    file.write_all(&header)?;
    for tensor in tensors {
        let bytes: Vec<u8> = (tensor.values)().iter().flat_map(|value| value.to_le_bytes()).collect();
        file.write_all(&bytes)?;
        let filled = tensor.bytes().next_multiple_of(ALIGNMENT) - tensor.bytes();
        file.write_all(&[0; ALIGNMENT as usize][..filled as usize])?;
    }
    Ok(())
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text.as_bytes());
}

fn item(bytes: &mut Vec<u8>, value: &Item) {
    let kind = |kind: u32| kind.to_le_bytes();
    // An array says the kind of its values, and how many there are.
    let array = |of: u32, length: usize| [&kind(9)[..], &kind(of), &(length as u64).to_le_bytes()].concat();
    match value {
        Item::Number(number) => bytes.extend([kind(4), number.to_le_bytes()].concat()),
        Item::Float(number) => bytes.extend([kind(6), number.to_le_bytes()].concat()),
        Item::Flag(flag) => {
            bytes.extend(kind(7));
            bytes.push(u8::from(*flag));
        }
        Item::Text(own) => {
            bytes.extend(kind(8));
            text(bytes, own);
        }
        Item::Texts(texts) => {
            bytes.extend(array(8, texts.len()));
            texts.iter().for_each(|own| text(bytes, own));
        }
        Item::Integers(numbers) => {
            bytes.extend(array(5, numbers.len()));
            numbers.iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        }
        Item::Floats(numbers) => {
            bytes.extend(array(6, numbers.len()));
            numbers.iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Gguf;
    use super::super::value::Value;
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("small.gguf");
        let metadata = vec![
            ("general.name".to_owned(), Item::Text("small".to_owned())),
            ("a.flag".to_owned(), Item::Flag(true)),
            ("a.number".to_owned(), Item::Number(7)),
            ("a.float".to_owned(), Item::Float(0.5)),
            ("a.texts".to_owned(), Item::Texts(vec!["ä".to_owned(), String::new()])),
            ("a.integers".to_owned(), Item::Integers(vec![-1, 2])),
            ("a.floats".to_owned(), Item::Floats(vec![1.5])),
        ];
        let tensor = |name: &str, shape: &[usize], values: Vec<f32>| Tensors {
            name: name.to_owned(),
            shape: shape.to_vec(),
            values: Box::new(move || values.clone()),
        };
        let tensors =
            [tensor("one", &[3], vec![1.0, 2.0, 3.0]), tensor("two", &[2, 3], (0..6).map(|n| n as f32).collect())];
        write(&mut std::fs::File::create(&file).unwrap(), &metadata, &tensors).unwrap();
        let read = Gguf::open(&file).unwrap();
        assert_eq!(read.text("general.name"), Some("small"));
        assert_eq!(read.value("a.flag"), Some(Value::Bool(true)));
        assert_eq!(read.value("a.number"), Some(Value::Unsigned(7)));
        assert_eq!(read.value("a.float"), Some(Value::Float(0.5)));
        let Some(Value::Array(texts)) = read.value("a.texts") else { panic!() };
        assert_eq!(texts.texts().unwrap().collect::<Vec<_>>(), ["ä", ""]);
        let Some(Value::Array(integers)) = read.value("a.integers") else { panic!() };
        assert_eq!(integers.values().collect::<Vec<_>>(), [Value::Signed(-1), Value::Signed(2)]);
        let two = read.tensor("two").unwrap();
        assert_eq!(two.shape, [3, 2]);
        let mut row = [0.0; 2];
        two.kind.read_row(&read.data(two)[8..16], &mut row);
        assert_eq!(row, [2.0, 3.0]);
    }

    #[test]
    fn rows_of_a_head_become_pairs() {
        // Two heads of four rows, a column each.
        let values: Vec<f32> = (0..8).map(|row| row as f32).collect();
        assert_eq!(paired(&values, 1, 4), [0.0, 2.0, 1.0, 3.0, 4.0, 6.0, 5.0, 7.0]);
    }
}
