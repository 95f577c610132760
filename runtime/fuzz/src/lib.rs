//! What the targets share: archives made of an input, so that mutations of it stay archives.

const BLOCK: usize = 512;

/// An archive from a list of its entries, a line each: the type as it stands in a header, the name,
/// and behind `>` the target or content. The content of an extended header is one record, whose
/// length is put before it.
pub fn entries(list: &[u8]) -> Vec<u8> {
    let mut archive = Vec::new();
    for line in list.split(|byte| *byte == b'\n') {
        let [flag, line @ ..] = line else { continue };
        let (name, rest) = match line.iter().position(|byte| *byte == b'>') {
            Some(at) => (&line[..at], &line[at + 1..]),
            None => (line, &[][..]),
        };
        let content = match flag {
            b'1' | b'2' => Vec::new(),
            b'x' | b'g' => with_lengths(rest),
            _ => rest.to_vec(),
        };
        let mut header = tar::Header::new_ustar();
        let bytes = header.as_mut_bytes();
        put(&mut bytes[..100], name);
        if content.is_empty() {
            put(&mut bytes[157..257], rest);
        }
        bytes[156] = *flag;
        header.set_mode(0o4755);
        header.set_uid(1);
        header.set_gid(2);
        header.set_mtime(3);
        header.set_size(content.len() as u64);
        header.set_cksum();
        archive.extend_from_slice(header.as_bytes());
        archive.extend_from_slice(&content);
        archive.resize(archive.len().next_multiple_of(BLOCK), 0);
    }
    archive
}

fn put(field: &mut [u8], text: &[u8]) {
    let count = text.len().min(field.len());
    field[..count].copy_from_slice(&text[..count]);
}

/// Bytes in which every block has a checksum as a header has it.
pub fn with_checksums(bytes: &[u8]) -> Vec<u8> {
    let mut archive = bytes.to_vec();
    let (blocks, _) = archive.as_chunks_mut::<BLOCK>();
    for block in blocks.iter_mut().filter(|block| block.iter().any(|byte| *byte != 0)) {
        let mut header = tar::Header::from_byte_slice(block).clone();
        header.set_cksum();
        block.copy_from_slice(header.as_bytes());
    }
    archive
}

/// Lines as the records of an extended header, their lengths before them.
pub fn with_lengths(lines: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let rest = line.len() + 2;
        let mut length = rest + rest.to_string().len();
        if length.to_string().len() + rest > length {
            length += 1;
        }
        body.extend_from_slice(format!("{length} ").as_bytes());
        body.extend_from_slice(line);
        body.push(b'\n');
    }
    body
}
