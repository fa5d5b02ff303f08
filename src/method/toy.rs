//! Toy: as Single, but the adapter is made smaller before each stage.

use serde::{Deserialize, Serialize};

use super::{AdapterMethod, Card, Family, Method, Part, Plan, Stage};
use crate::schema::{Field, Kind};

pub const CARD: Card = Card {
    key: "toy",
    name: "Toy",
    sentence: "One adapter goes on learning from stage to stage, made smaller before each",
    formula: "L(t) = CE(t),  v(t) starts from s·v(t−1)",
    source: "Nowhere",
    family: Family::OneAdapter,
    fields: &[Field {
        path: "shrink",
        label: "Shrink",
        help: "Factor on the adapter's values before a stage: 1 is a single evolving LoRA",
        kind: Kind::Number { min: 0.0, max: 1.0 },
    }],
};

/// Options of the toy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Toy {
    pub shrink: f64,
}

impl Default for Toy {
    fn default() -> Self {
        Self { shrink: 0.9 }
    }
}

impl Method for Toy {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn adapter_method(&self) -> Option<&dyn AdapterMethod> {
        Some(self)
    }
}

impl AdapterMethod for Toy {
    fn plan(&self, stage: &Stage<'_>) -> Plan {
        let mut start = stage.latest();
        for factor in start.modules.values_mut().flat_map(|pair| [&mut pair.a, &mut pair.b]) {
            factor.values.iter_mut().for_each(|value| *value *= self.shrink as f32);
        }
        Part::from(start).into()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::MethodOptions;
    use super::super::plan::tests::{adapter, stage};
    use super::*;
    use crate::project::Project;
    use crate::run::RunMethod;

    #[test]
    fn a_project_file_names_the_toy_method() {
        let text = r#"(format: 1, name: "Toy", dataset: Synthetic(users: 60), base_model: Compact(width: 32, heads: 4),
            experiments: [(name: "Toy", method: Toy(shrink: 0.5))])"#;
        let project = Project::parse(text, Path::new("project.ron")).unwrap();
        let method = &project.experiments[0].method;
        assert_eq!(*method, MethodOptions::Toy(Toy { shrink: 0.5 }));
        assert_eq!(method.fields()[0].path, "shrink");
        assert!(RunMethod::Learned(method.clone()).adapts_model());
        let plan = method.adapter_method().unwrap().plan(&stage(&[adapter([2.0, 4.0], [1.0, 0.0])]));
        assert_eq!(plan.main.start, adapter([1.0, 2.0], [0.5, 0.0]));
    }
}
