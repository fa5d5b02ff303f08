//! What tensors are called in GGUF files, and in what order the rows of two of them lie.

use crate::model::config::Family;

/// The name in a family's GGUF file of a tensor by Hugging Face's name; none where there is no such tensor.
pub fn tensor_name(family: Family, hugging_face: &str) -> Option<String> {
    let whole = match hugging_face {
        "model.embed_tokens.weight" => Some("token_embd.weight"),
        "model.norm.weight" => Some("output_norm.weight"),
        "lm_head.weight" => Some("output.weight"),
        _ => None,
    };
    if let Some(name) = whole {
        return Some(name.to_owned());
    }
    let (layer, rest) = hugging_face.strip_prefix("model.layers.")?.split_once('.')?;
    let (part, kind) = rest.rsplit_once('.')?;
    let part = match part {
        "input_layernorm" => "attn_norm",
        // Of what attention gives; of what the feed-forward part reads, in the other families.
        "post_attention_layernorm" if family.is_gemma() => "post_attention_norm",
        "post_attention_layernorm" | "pre_feedforward_layernorm" => "ffn_norm",
        "post_feedforward_layernorm" => "post_ffw_norm",
        "self_attn.q_proj" => "attn_q",
        "self_attn.k_proj" => "attn_k",
        "self_attn.v_proj" => "attn_v",
        "self_attn.o_proj" => "attn_output",
        "self_attn.q_norm" => "attn_q_norm",
        "self_attn.k_norm" => "attn_k_norm",
        "mlp.gate_proj" => "ffn_gate",
        "mlp.up_proj" => "ffn_up",
        "mlp.down_proj" => "ffn_down",
        _ => return None,
    };
    Some(format!("blk.{layer}.{part}.{kind}"))
}

/// The row of the file that holds a row of Hugging Face's query or key projection, for the `llama` architecture.
///
/// Its rotation turns neighbouring pairs, Hugging Face's the two halves of a head, so the converter lays the rows of
/// each head as pairs: `reshape(heads, 2, width / 2, in).swapaxes(1, 2)`.
pub fn paired_row(row: usize, head_width: usize) -> usize {
    let (head, within) = (row / head_width, row % head_width);
    let half = head_width / 2;
    head * head_width + (within % half) * 2 + within / half
}
