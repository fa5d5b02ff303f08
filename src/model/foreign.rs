//! Files that people have where a model is expected, recognised by how they begin or what they are called, with the way from
//! there to one that can be read.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use serde_json::{Map, Value};

use crate::error::InputError;

/// Bytes of a file that are looked at.
const BEGINNING: u64 = 512;

/// Whether a file is one of those, by its beginning.
pub fn file(path: &Path) -> Option<InputError> {
    let mut beginning = Vec::new();
    File::open(path).ok()?.take(BEGINNING).read_to_end(&mut beginning).ok()?;
    beginning_of(path, &beginning)
}

/// The same of a file whose first bytes are at hand.
pub fn beginning_of(path: &Path, bytes: &[u8]) -> Option<InputError> {
    let bytes = &bytes[..bytes.len().min(BEGINNING as usize)];
    let is = |problem: &str| InputError::new(path, problem);
    let named = |ending: &str| path.extension().is_some_and(|own| own.eq_ignore_ascii_case(ending));
    if bytes.starts_with(b"version https://git-lfs.github.com/spec/") {
        return Some(
            is("a pointer of Git LFS, not the file that it stands for")
                .advice("fetch the file: `git lfs pull` in its folder, or `hf download` of the model"),
        );
    }
    if is_web_page(bytes) {
        return Some(
            is("a web page, not the file: the download was refused or led elsewhere")
                .advice("download the file again; a model that asks for consent needs `hf auth login` first"),
        );
    }
    if is_refusal(bytes) {
        return Some(
            is(&format!(
                "a server's answer, not the file: {}",
                String::from_utf8_lossy(bytes).trim().chars().take(100).collect::<String>()
            ))
            .advice("download the file again; a model that asks for consent needs `hf auth login` first"),
        );
    }
    let is_archive = bytes.starts_with(b"PK\x03\x04");
    let is_pickle = matches!(bytes, [0x80, 2..=5, ..]);
    let is_torch = ["bin", "pt", "pth", "ckpt"].into_iter().any(named);
    if is_pickle || (is_archive && (is_torch || contains(bytes, b"data.pkl"))) {
        return Some(pickle(path));
    }
    if is_archive && named("npz") {
        return Some(is("arrays of NumPy, as MLX wrote models once").advice(TAKE_THE_ORIGINAL));
    }
    if bytes.starts_with(b"\x89HDF\r\n\x1a\n") {
        return Some(is("an HDF5 file, as TensorFlow keeps models").advice(TAKE_SAFETENSORS));
    }
    if named("onnx") && !bytes.starts_with(b"{") {
        return Some(is("an ONNX model, which has a computation and no plain weights").advice(TAKE_SAFETENSORS));
    }
    if bytes.get(4..8) == Some(b"TFL3") {
        return Some(is("a TensorFlow Lite model").advice(TAKE_SAFETENSORS));
    }
    if [b"tjgg", b"lmgg", b"fmgg", b"algg"].into_iter().any(|magic| bytes.starts_with(magic)) {
        return Some(is("a GGML file, the format before GGUF").advice("take the model as GGUF or from Hugging Face"));
    }
    if named("gguf") && bytes.get(8) == Some(&b'{') {
        return Some(
            is("a safetensors file with the name of a GGUF file")
                .advice("name it model.safetensors, with the model's config.json in the same folder"),
        );
    }
    if named("safetensors") && bytes.starts_with(b"GGUF") {
        return Some(is("a GGUF file with the name of a safetensors file").advice("let its name end in .gguf"));
    }
    None
}

const TAKE_SAFETENSORS: &str = "take the same model with `model.safetensors` and `config.json`, or as GGUF";

const TAKE_THE_ORIGINAL: &str = "take the model that it was made from, with `model.safetensors` in float32, float16 or bfloat16, or a GGUF file of it";

/// Weights that Python's pickle wrote: reading them runs what is in them.
fn pickle(path: &Path) -> InputError {
    let folder = path.parent().unwrap_or(Path::new("."));
    InputError::new(path, "weights as a pickle of PyTorch, which is a program and is not run here")
        .advice(to_safetensors(folder))
}

/// The line that makes safetensors of a folder that Transformers can read.
fn to_safetensors(folder: &Path) -> String {
    let from = folder.display().to_string().replace('\'', "'\\''");
    format!(
        "make safetensors of it: python -c \"from transformers import AutoModelForCausalLM as M, AutoTokenizer as T; \
         import sys; d, o = sys.argv[1:]; M.from_pretrained(d).save_pretrained(o); T.from_pretrained(d).save_pretrained(o)\" \
         '{from}' '{from}-safetensors'"
    )
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn is_web_page(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).trim_start_matches('\u{feff}').trim_start().to_lowercase();
    text.starts_with("<!doctype html") || text.starts_with("<html") || text.starts_with("<?xml")
}

/// What Hugging Face answers instead of a file, which is a line.
fn is_refusal(bytes: &[u8]) -> bool {
    if bytes.len() as u64 == BEGINNING {
        return false;
    }
    let begins = |text: &[u8]| bytes.get(..text.len()).is_some_and(|own| own.eq_ignore_ascii_case(text));
    [
        &b"Entry not found"[..],
        b"Repository not found",
        b"Invalid username or password",
        b"Access to model ",
        b"Access denied",
        b"{\"error\":",
        b"Unauthorized",
        b"Internal Error",
    ]
    .into_iter()
    .any(begins)
}

/// What lies in a folder where the weights of a model are expected; none where they are there, or nothing is known.
pub fn folder(folder: &Path) -> Option<InputError> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .ok()?
        .flatten()
        .filter(|entry| entry.path().is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    let has = |name: &str| names.iter().any(|own| own == name);
    let first = |fits: &dyn Fn(&str) -> bool| names.iter().find(|name| fits(name)).map(|name| folder.join(name));
    let ends = |ending: &'static str| move |name: &str| name.to_lowercase().ends_with(ending);
    if has("model.safetensors") || has("model.safetensors.index.json") {
        return None;
    }
    if has("adapter_config.json") {
        return Some(InputError::new(folder, "an adapter, not a base model").advice(
            "name the model that it was trained on as `base_model`, and the adapter as `start` in `training`",
        ));
    }
    if let Some(file) = first(&ends(".gguf")) {
        let advice = format!("name the file: base_model: Gguf({:?})", file.display().to_string());
        return Some(
            InputError::new(folder, "a folder with a GGUF file in it, not a Hugging Face model").advice(advice),
        );
    }
    if let Some(file) = first(&|name| name.starts_with("model-0") && name.ends_with(".safetensors")) {
        return Some(
            InputError::new(folder.join("model.safetensors.index.json"), "the list of shards is missing")
                .advice(format!("download it again: {} is one of the shards that it names", shown(&file))),
        );
    }
    if has("params.json") || first(&|name| name.starts_with("consolidated.")).is_some() {
        return Some(
            InputError::new(folder, "a model in the layout of its makers (params.json, consolidated.*)")
                .advice(TAKE_SAFETENSORS),
        );
    }
    if let Some(file) = first(&|name| {
        let torch = [".bin", ".pt", ".pth", ".ckpt"].into_iter().any(|ending| name.to_lowercase().ends_with(ending));
        torch && !["training_args.bin", "optimizer.pt", "scheduler.pt"].contains(&name)
    }) {
        return Some(pickle(&file));
    }
    if let Some(file) = first(&ends(".safetensors")) {
        return Some(
            InputError::new(folder, format!("weights are called {}, not model.safetensors", shown(&file)))
                .advice("rename them if they are the whole model"),
        );
    }
    let others = [
        (".npz", "a model of MLX", TAKE_THE_ORIGINAL),
        (".h5", "a model of TensorFlow", TAKE_SAFETENSORS),
        (".msgpack", "a model of Flax", TAKE_SAFETENSORS),
        (".onnx", "an ONNX model, which has a computation and no plain weights", TAKE_SAFETENSORS),
    ];
    let found = others.into_iter().find_map(|(ending, what, advice)| Some((first(&ends(ending))?, what, advice)));
    found.map(|(file, what, advice)| InputError::new(file, what).advice(advice))
}

fn shown(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Whether a `config.json` is that of a quantised model, whose numbers are not plain floats.
pub fn quantised(path: &Path, fields: &Map<String, Value>) -> Option<InputError> {
    let object = |field: &str| fields.get(field).and_then(Value::as_object).filter(|object| !object.is_empty());
    if let Some(mlx) = object("quantization").filter(|q| q.contains_key("bits") || q.contains_key("group_size")) {
        let bits = mlx.get("bits").and_then(Value::as_u64).map_or_else(String::new, |bits| format!(" to {bits} bits"));
        return Some(
            InputError::new(path, format!("a model that MLX quantised{bits}"))
                .at("field `quantization`")
                .advice(TAKE_THE_ORIGINAL),
        );
    }
    let (field, settings) =
        ["quantization_config", "compression_config"].into_iter().find_map(|field| Some((field, object(field)?)))?;
    let method = settings.get("quant_method").and_then(Value::as_str).unwrap_or("unknown");
    let method = match method {
        "gptq" => "GPTQ".to_owned(),
        "awq" => "AWQ".to_owned(),
        other => other.chars().take(40).collect(),
    };
    let problem = format!("a model quantised by {method}, whose weights are no plain floats");
    Some(InputError::new(path, problem).at(format!("field `{field}`")).advice(TAKE_THE_ORIGINAL))
}
