//! What the one list of methods expands to.

/// The list of methods, a line each: `file: Method(Options), "what it does";`, without `(Options)` where it has none.
///
/// A line declares the file as a module, which has a type of the method's name that is a [`Method`](super::Method)
/// (and [`Default`], where it has options), and makes it a variant of [`MethodOptions`](super::MethodOptions).
macro_rules! methods {
    // A reference to the method of a variant: its options, or the method itself where it has none.
    (@method $variant:ident) => { &$variant };
    (@method $variant:ident $value:ident as $options:ident) => { $value };

    ($($file:ident: $variant:ident $(($options:ident))?, $sentence:literal;)*) => {
        $(pub mod $file;)*
        $(pub use self::$file::$variant;)*

        /// A method and its options, as the project file has them.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub enum MethodOptions {
            $(#[doc = $sentence] $variant $(($options))?,)*
        }

        impl MethodOptions {
            /// Every method with its defaults, in the order of the list.
            pub fn all() -> Vec<Self> {
                vec![$(Self::$variant $(($options::default()))?,)*]
            }

            /// The method that the options describe.
            pub fn method(&self) -> &dyn Method {
                match self {
                    $(Self::$variant $((options @ $options { .. }))? => {
                        registry::methods!(@method $variant $(options as $options)?)
                    })*
                }
            }

            /// See [`Method::recommender`].
            pub fn recommender<B: TrainingBackend>(
                &self,
                size: DatasetSize,
                seed: u64,
                device: &B::Device,
            ) -> Option<Result<Box<dyn StageRecommender>, String>> {
                match self {
                    $(Self::$variant $((options @ $options { .. }))? => {
                        registry::methods!(@method $variant $(options as $options)?).recommender::<B>(size, seed, device)
                    })*
                }
            }
        }
    };
}

pub(super) use methods;
