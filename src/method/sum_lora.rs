//! SumLoRA, "latest": `W0 + (B'/‖B'‖)(A'/‖A'‖) alpha/r + current`, with A', B' the previous stage's factors.
//!
//! Source: the baseline of the PESO paper (arXiv 2510.25093) and its release; norms are Frobenius.

use super::{Method, SumLora, latest};
use crate::model::Adapter;

pub struct SumLoraMethod {
    options: SumLora,
}

impl SumLoraMethod {
    pub fn new(options: SumLora) -> Self {
        Self { options }
    }
}

impl Method for SumLoraMethod {
    fn start(&self, past: &[Adapter], fresh: &dyn Fn() -> Adapter) -> Adapter {
        if self.options.inherit { latest(past) } else { fresh() }
    }

    fn added(&self, past: &[Adapter]) -> Option<Adapter> {
        let mut added = past.last()?.clone();
        for pair in added.modules.values_mut() {
            for factor in [&mut pair.a, &mut pair.b] {
                let norm = factor.norm();
                if norm > 0.0 {
                    factor.values.iter_mut().for_each(|v| *v = (f64::from(*v) / norm) as f32);
                }
            }
        }
        Some(added)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::adapter::{Matrix, Pair};

    fn adapter(a: [f32; 2], b: [f32; 2]) -> Adapter {
        let pair = Pair {
            a: Matrix { rows: 1, columns: 2, values: a.to_vec() },
            b: Matrix { rows: 2, columns: 1, values: b.to_vec() },
        };
        Adapter { modules: [("m".to_owned(), pair)].into() }
    }

    #[test]
    fn the_latest_adapter_is_added_with_unit_factors() {
        let method = SumLoraMethod::new(SumLora { inherit: true });
        let added = method.added(&[adapter([9.0, 9.0], [9.0, 9.0]), adapter([3.0, 4.0], [0.0, 0.0])]).expect("a past");
        assert_eq!(added.modules["m"].a.values, [0.6, 0.8]);
        assert_eq!(added.modules["m"].b.values, [0.0, 0.0], "a zero factor stays zero");
    }

    #[test]
    fn it_inherits_only_where_asked() {
        let (past, fresh) = (adapter([1.0, 2.0], [3.0, 4.0]), adapter([5.0, 6.0], [0.0, 0.0]));
        let start =
            |inherit| SumLoraMethod::new(SumLora { inherit }).start(std::slice::from_ref(&past), &|| fresh.clone());
        assert_eq!(start(true), past);
        assert_eq!(start(false), fresh);
    }
}
