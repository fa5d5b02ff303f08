//! Reading numbers and texts of a GGUF file one after the other.

/// Reads from bytes that may end anywhere.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self::at(bytes, 0)
    }

    /// A cursor that begins at a byte of `bytes`.
    pub(super) fn at(bytes: &'a [u8], position: usize) -> Self {
        Self { bytes, position }
    }

    /// The next byte's index.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.position..]
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let taken = self.rest().get(..count).ok_or("the file ends too early")?;
        self.position += count;
        Ok(taken)
    }

    pub(super) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], String> {
        self.rest()
            .first_chunk()
            .copied()
            .inspect(|_| self.position += N)
            .ok_or_else(|| "the file ends too early".to_owned())
    }

    pub(super) fn u32(&mut self) -> Result<u32, String> {
        self.fixed().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, String> {
        self.fixed().map(u64::from_le_bytes)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, String> {
        let length = usize::try_from(self.u64()?).map_err(|_| "a text is longer than the file".to_owned())?;
        let bytes = self.take(length).map_err(|_| "a text is longer than the file".to_owned())?;
        std::str::from_utf8(bytes).map_err(|_| "a text is not UTF-8".to_owned())
    }
}
