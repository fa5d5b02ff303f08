//! The options of a method as fields: what there is, setting one, checking all.

use serde_json::Value;

use super::MethodOptions;
use crate::schema::json::{at, at_mut};
use crate::schema::{FieldError, FieldSetting, Setting};

impl MethodOptions {
    /// The options that there are with what is chosen now: a choice may bring options of its own.
    pub fn fields(&self) -> Vec<FieldSetting> {
        let whole = self.as_value();
        let own = self.card().fields.iter().filter_map(|field| {
            let setting = Setting::of(at(&whole, field.path)?)?;
            Some(FieldSetting { path: field.path.to_owned(), field, setting })
        });
        let inner = self.method().inner().into_iter().flat_map(Self::fields);
        own.chain(inner.map(|inner| FieldSetting { path: format!("method.{}", inner.path), ..inner })).collect()
    }

    /// Sets an option.
    ///
    /// # Errors
    /// There is no such option now, or the value is none of its values.
    pub fn set(&mut self, path: &str, setting: &Setting) -> Result<(), FieldError> {
        let bad = |problem: String, advice: String| FieldError::new(path, problem, advice);
        let fields = self.fields();
        let field = fields.iter().find(|field| field.path == path).ok_or_else(|| {
            let known: Vec<&str> = fields.iter().map(|field| field.path.as_str()).collect();
            let known =
                if known.is_empty() { "it has none".to_owned() } else { format!("it has {}", known.join(", ")) };
            bad(format!("{} has no such option", self.card().name), known)
        })?;
        let value = field
            .field
            .value(setting)
            .ok_or_else(|| bad(format!("{setting} cannot be used"), field.field.expected()))?;
        let mut whole = self.as_value();
        if let Some(slot) = at_mut(&mut whole, path) {
            *slot = value;
        }
        *self = serde_json::from_value(whole).map_err(|error| bad(error.to_string(), field.field.expected()))?;
        Ok(())
    }

    /// Refuses values out of their range.
    ///
    /// # Errors
    /// The first option whose value it cannot be.
    pub fn check(&self) -> Result<(), FieldError> {
        self.method().check_options()?;
        match self.fields().into_iter().find(|field| field.field.value(&field.setting).is_none()) {
            Some(field) => {
                let problem = format!("{} cannot be used", field.setting);
                Err(FieldError::new(field.path, problem, field.field.expected()))
            }
            None => Ok(()),
        }
    }

    pub(super) fn as_value(&self) -> Value {
        // Numbers that JSON does not have become null, which no option takes.
        serde_json::to_value(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::super::{Distance, GradientSurgery, Peso};
    use super::*;
    use crate::schema::json::content;

    #[test]
    fn every_option_of_every_method_is_a_field_and_its_default_is_allowed() {
        let mut keys = Vec::new();
        for method in MethodOptions::all() {
            let card = method.card();
            keys.push(card.key);
            // The window's font of formulas has no raised T.
            assert!(!card.formula.contains('ᵀ'), "{}", card.key);
            assert!(
                !card.sentence.ends_with('.') && !card.formula.is_empty() && !card.source.is_empty(),
                "{}",
                card.key
            );
            method.check().unwrap();
            let whole = method.as_value();
            let options = whole
                .as_object()
                .map_or(0, |variant| content(&whole).as_object().map_or(0, Map::len).max(variant.len() - 1));
            let top: std::collections::BTreeSet<_> =
                method.fields().iter().map(|f| f.path.split('.').next().unwrap().to_owned()).collect();
            assert_eq!(top.len(), options, "{} has options without a field: {top:?}", card.key);
            for field in method.fields() {
                let mut same = method.clone();
                if !matches!((field.field.kind.choices(), &field.setting), ([_, ..], Setting::Choice(_))) {
                    same.set(&field.path, &field.setting).unwrap();
                    assert_eq!(same, method, "{} {}", card.key, field.path);
                }
                for choice in field.field.kind.choices() {
                    same.set(&field.path, &Setting::Choice(choice.key.to_owned())).unwrap();
                    // A filter finds λ for PESO alone, and no rule finds it where no one has all examples.
                    let of_all = card.key == "federated" && field.path == "method.lambda";
                    let refused = (card.key, choice.key) == ("ewc", "Kalman") || of_all;
                    assert_eq!(same.check().is_err(), refused, "{} {}", card.key, choice.key);
                    assert!(same.fields().iter().any(|f| f.setting == Setting::Choice(choice.key.to_owned())));
                }
            }
        }
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), MethodOptions::all().len());
    }

    #[test]
    fn a_choice_brings_its_own_options() {
        let mut method = MethodOptions::Peso(Peso::default());
        method.set("distance", &Setting::Choice("L2".to_owned())).unwrap();
        method.set("distance.squared", &Setting::Switch(false)).unwrap();
        let MethodOptions::Peso(peso) = &method else { unreachable!() };
        assert_eq!(peso.distance, Distance::L2 { squared: false, per_element: false });
        let gone = method.set("distance.temperature", &Setting::Number(1.0)).unwrap_err();
        assert!(gone.advice.contains("distance.squared"), "{gone:?}");
    }

    #[test]
    fn the_method_inside_another_is_set_through_it() {
        let mut method = MethodOptions::GradientSurgery(GradientSurgery::default());
        method.set("method.lambda", &Setting::Number(5.0)).unwrap();
        let MethodOptions::GradientSurgery(surgery) = &method else { unreachable!() };
        assert!(matches!(&*surgery.method, MethodOptions::Peso(Peso { lambda, .. }) if *lambda == 5.0.into()));
    }

    #[test]
    fn what_is_out_of_range_is_refused_with_what_may_be() {
        let mut method = MethodOptions::Peso(Peso::default());
        for (path, setting, word) in [
            ("lambda", Setting::Number(-1.0), "from 0"),
            ("lambda", Setting::Switch(true), "number"),
            ("distance", Setting::Choice("Cosine".to_owned()), "SoftmaxKl"),
        ] {
            let before = method.clone();
            let error = method.set(path, &setting).unwrap_err();
            assert!(error.advice.contains(word), "{error:?}");
            assert_eq!(method, before);
        }
        let peso = Peso { lambda: f64::NAN.into(), ..Peso::default() };
        assert_eq!(MethodOptions::Peso(peso).check().unwrap_err().field, "lambda");
        let mut replay = MethodOptions::Replay(Default::default());
        assert!(replay.set("examples", &Setting::Number(1.5)).is_err());
        replay.set("examples", &Setting::Number(7.0)).unwrap();
    }
}
