import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { closeSync, fstatSync, linkSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The key of the service cannot be used, or is not the one that something was sealed under; the message says what would do. */
export class SecretsLocked extends Error {
  override readonly name = 'SecretsLocked';
}

/** 32 bytes in hex or base64; undefined: it is neither. */
export function keyBytes(text: string): Buffer | undefined {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  return /^[A-Za-z0-9+/_-]{43}=?$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}

/**
 * Seals what is kept in the database and must not be read there: AES-256-GCM. `of` names what is sealed, so that it opens nowhere else.
 * Without a given key, one is made under `home` when something is sealed for the first time.
 */
export class SecretKey {
  constructor(
    private key: Buffer | undefined,
    private readonly home: string | undefined,
  ) {}

  /** @throws SecretsLocked */
  seal(text: string, of: string): Buffer {
    const iv = randomBytes(ivBytes);
    const cipher = createCipheriv('aes-256-gcm', this.known(makeKey), iv).setAAD(Buffer.from(of));
    return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  }

  /** @throws SecretsLocked */
  open(sealed: Buffer, of: string): string {
    const key = this.known((file) => missing(file, of));
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, ivBytes), { authTagLength: tagBytes });
      decipher.setAAD(Buffer.from(of)).setAuthTag(sealed.subarray(-tagBytes));
      return decipher.update(sealed.subarray(ivBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8');
    } catch {
      throw new SecretsLocked(`the secret of ${of} was sealed under another key, or was changed: ${remedy}`);
    }
  }

  private known(without: (file: string) => Buffer): Buffer {
    if (this.home === undefined && !this.key) throw new SecretsLocked('there is no key for secrets: set LEDGER_SECRET_KEY');
    const file = join(this.home ?? '', 'secret.key');
    return (this.key ??= keyIn(file) ?? without(file));
  }
}

const ivBytes = 12;
const tagBytes = 16;
const remedy =
  'start the server with the LEDGER_SECRET_KEY, or the secret.key in LEDGER_HOME, that it was made with; ' +
  'if that is lost, put the routine without this trigger and then with it again, for a new secret';

function missing(file: string, of: string): never {
  throw new SecretsLocked(
    `${file} is not there, and LEDGER_SECRET_KEY is not set, so the secret of ${of} stays sealed: ${remedy}`,
  );
}

/** Undefined: there is no such file. */
function keyIn(file: string): Buffer | undefined {
  const { mode, text } = contentOf(file) ?? {};
  if (mode === undefined || text === undefined) return undefined;
  if (mode & 0o077)
    throw new SecretsLocked(
      `${file} can be read by others than its owner (its mode is ${(mode & 0o777).toString(8)}): chmod 600 it, or set LEDGER_SECRET_KEY`,
    );
  const key = keyBytes(text.trim());
  if (!key) throw new SecretsLocked(`${file} holds no key of 32 bytes in hex or base64: put it back as it was, or remove it`);
  return key;
}

function contentOf(file: string): { mode: number; text: string } | undefined {
  let open: number | undefined;
  try {
    open = openSync(file, 'r');
    return { mode: fstatSync(open).mode, text: readFileSync(open, 'utf8') };
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw new SecretsLocked(`${file} cannot be read (${messageOf(error)}): make it its owner's, or set LEDGER_SECRET_KEY`);
  } finally {
    if (open !== undefined) closeSync(open);
  }
}

/** Made once; whoever comes second takes what the first one made. */
function makeKey(file: string): Buffer {
  const mine = `${file}.${process.pid}`;
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(mine, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flush: true });
    // A link appears with its content, so nobody reads half a key.
    linkSync(mine, file);
  } catch (error) {
    if (!isCode(error, 'EEXIST'))
      throw new SecretsLocked(
        `${file} cannot be made (${messageOf(error)}): make LEDGER_HOME writable, or set LEDGER_SECRET_KEY`,
      );
  } finally {
    rmSync(mine, { force: true });
  }
  return keyIn(file) ?? missing(file, 'this service');
}

const isCode = (error: unknown, code: string): boolean => (error as NodeJS.ErrnoException).code === code;
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
