//! Gzip as it is found: members one after the other, and what some programs leave behind the last.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// What a gzip file holds, decompressed. Zeros behind its last member are padding; other bytes there are not read, and told.
pub struct Gzip<R, T> {
    /// None behind the last member.
    member: Option<GzDecoder<R>>,
    tell: T,
}

impl<R: BufRead, T: Fn()> Gzip<R, T> {
    /// Of a reader; `tell` hears of bytes behind the last member.
    pub fn new(reader: R, tell: T) -> Self {
        Self { member: Some(GzDecoder::new(reader)), tell }
    }

    /// Goes past padding; whether another member follows.
    fn follows(&self, reader: &mut R) -> io::Result<bool> {
        loop {
            let buffer = reader.fill_buf()?;
            let zeros = buffer.iter().take_while(|&&byte| byte == 0).count();
            match buffer.get(zeros).copied() {
                // The rest of its header tells whether it is one.
                Some(0x1f) => {
                    reader.consume(zeros);
                    return Ok(true);
                }
                Some(_) => {
                    (self.tell)();
                    return Ok(false);
                }
                None if zeros == 0 => return Ok(false),
                None => reader.consume(zeros),
            }
        }
    }
}

impl<R: BufRead, T: Fn()> Read for Gzip<R, T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while let Some(member) = &mut self.member {
            let count = member.read(buffer)?;
            if count > 0 {
                return Ok(count);
            }
            let Some(ended) = self.member.take() else { break };
            let mut reader = ended.into_inner();
            if self.follows(&mut reader)? {
                self.member = Some(GzDecoder::new(reader));
            }
        }
        Ok(0)
    }
}
