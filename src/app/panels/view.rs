//! The views of a project: what their tabs and commands say, and where they stand at first.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use eframe::egui;
use egui::KeyboardShortcut;
use serde::de::{self, EnumAccess, VariantAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What there is to say of a view beside its panel. Each panel's file has one, and `views!` lists the panels.
#[derive(Debug)]
pub(crate) struct ViewSpec {
    /// Its name in saved layouts, which stays.
    pub(crate) key: &'static str,
    /// The title on its tab.
    pub(crate) title: &'static str,
    /// The command that brings it to the front.
    pub(crate) command: &'static str,
    /// What it shows.
    pub(crate) tooltip: &'static str,
    /// The keys of its command.
    pub(crate) shortcut: Option<KeyboardShortcut>,
    pub(crate) home: Home,
}

/// Where a view stands at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    /// The column on the left.
    Left,
    /// Above the charts.
    Top,
    /// Among the charts.
    Charts,
}

/// One view of the project, a handle on its [`ViewSpec`].
#[derive(Clone, Copy)]
pub(crate) struct View(&'static ViewSpec);

impl View {
    pub(crate) const fn of(spec: &'static ViewSpec) -> Self {
        Self(spec)
    }

    /// Every view, in the order of menu and tabs.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        super::VIEWS.iter().map(|entry| Self(entry.spec))
    }

    pub(crate) const fn spec(self) -> &'static ViewSpec {
        self.0
    }
}

impl Deref for View {
    type Target = ViewSpec;

    fn deref(&self) -> &ViewSpec {
        self.0
    }
}

impl PartialEq for View {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for View {}

impl Hash for View {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key)
    }
}

// In files a view is its key, written like the variant of an enum.
impl Serialize for View {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit_variant("View", 0, self.key)
    }
}

impl<'de> Deserialize<'de> for View {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;

        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = View;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the key of a view")
            }

            fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<View, A::Error> {
                let (Key(view), variant) = data.variant()?;
                variant.unit_variant()?;
                Ok(view)
            }
        }

        deserializer.deserialize_enum("View", &[], KeyVisitor)
    }
}

/// A view that is read from its bare key.
struct Key(View);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;

        impl Visitor<'_> for NameVisitor {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the key of a view")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Key, E> {
                let view = View::all().find(|view| view.key == name);
                view.map(Key).ok_or_else(|| E::custom(format!("there is no view {name}")))
            }
        }

        deserializer.deserialize_identifier(NameVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_are_written_by_the_names_that_saved_layouts_have() {
        let keys =
            ["Experiments", "Runs", "Live", "Compare", "Subspace", "Drift", "Users", "Data", "Model", "Log", "Board"];
        let read: Vec<View> = keys.iter().map(|key| ron::from_str(key).unwrap()).collect();
        assert_eq!(ron::to_string(&read).unwrap(), format!("[{}]", keys.join(",")));
        assert!(ron::from_str::<View>("Nowhere").is_err());
    }

    #[test]
    fn no_two_views_share_a_key_or_a_title() {
        for view in View::all() {
            let same = |other: &View| other.key == view.key || other.title == view.title;
            assert_eq!(View::all().filter(same).count(), 1, "{view:?}");
        }
    }
}
