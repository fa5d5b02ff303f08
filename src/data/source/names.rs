//! A source by its name in files: that of a format, which the list of formats knows, or of one of the two sources without files
//! of a format.

use std::fmt;
use std::path::PathBuf;
use std::sync::LazyLock;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, EnumAccess, MapAccess, VariantAccess, Visitor};
use serde::ser::{Serialize, SerializeStructVariant, Serializer};

use super::DatasetSource;
use crate::data::formats::{Format, SourceFields};
use crate::data::variant_name::VariantName;

pub(super) const SYNTHETIC: &str = "Synthetic";
pub(super) const DETECT: &str = "Detect";

/// The type's name in errors.
const TYPE: &str = "DatasetSource";

/// All names, for errors.
fn known() -> &'static [&'static str] {
    static KNOWN: LazyLock<Vec<&str>> =
        LazyLock::new(|| [SYNTHETIC, DETECT].into_iter().chain(Format::keys().iter().copied()).collect());
    &KNOWN
}

impl Serialize for DatasetSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = |name| known().iter().position(|known| *known == name).unwrap_or_default() as u32;
        match self {
            Self::Synthetic(options) => {
                serializer.serialize_newtype_variant(TYPE, number(SYNTHETIC), SYNTHETIC, options)
            }
            Self::Detect(import) => serializer.serialize_newtype_variant(TYPE, number(DETECT), DETECT, import),
            Self::Interactions(format, import) => {
                let key = format.key;
                serializer.serialize_newtype_variant(TYPE, number(key), key, import)
            }
            Self::Table(table) => {
                let key = Format::TABLE.key;
                serializer.serialize_newtype_variant(TYPE, number(key), key, table)
            }
            Self::PesoRelease { path } => {
                let key = Format::PESO_RELEASE.key;
                let mut fields = serializer.serialize_struct_variant(TYPE, number(key), key, FOLDER_FIELDS.len())?;
                fields.serialize_field("path", path)?;
                fields.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for DatasetSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_enum(TYPE, known(), SourceVisitor)
    }
}

/// What a name stands for.
enum Name {
    Synthetic,
    Detect,
    Format(Format),
}

fn name(name: &str) -> Option<Name> {
    match name {
        SYNTHETIC => Some(Name::Synthetic),
        DETECT => Some(Name::Detect),
        key => Format::of_key(key).map(Name::Format),
    }
}

struct SourceVisitor;

impl<'de> Visitor<'de> for SourceVisitor {
    type Value = DatasetSource;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("where a dataset comes from")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<DatasetSource, A::Error> {
        let (name, content) = data.variant_seed(VariantName { find: name, known: known() })?;
        match name {
            Name::Synthetic => content.newtype_variant().map(DatasetSource::Synthetic),
            Name::Detect => content.newtype_variant().map(DatasetSource::Detect),
            Name::Format(format) => match format.fields {
                SourceFields::Interactions => {
                    content.newtype_variant().map(|import| DatasetSource::Interactions(format, import))
                }
                SourceFields::Table => content.newtype_variant().map(DatasetSource::Table),
                SourceFields::Stages => content.struct_variant(FOLDER_FIELDS, FolderVisitor),
            },
        }
    }
}

/// The fields of a source that comes in stages.
const FOLDER_FIELDS: &[&str] = &["path"];

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Folder {
    path: PathBuf,
}

struct FolderVisitor;

impl<'de> Visitor<'de> for FolderVisitor {
    type Value = DatasetSource;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the path of a folder")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<DatasetSource, A::Error> {
        let Folder { path } = Folder::deserialize(MapAccessDeserializer::new(map))?;
        Ok(DatasetSource::PesoRelease { path })
    }
}
