"use strict";
// The holder's own check, all of it in this browser: an address never leaves the page. What is fetched is report.json, an
// index, and one file of 1,024 entries of each security's register (two where the address falls between two files).
// docs/integrators.md describes the files; client/tallystick/domain/reserve_report/shards.py does the same in Python.

const SHARD_LEAVES = 1024;
const LEAF_BYTES = 40;
const FILE_LIMIT = 65536;
const MULTIPLIER_ONE = 10n ** 18n;
const EMPTY_ROOT = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** Evidence that contradicts the report: shown in red. */
class Mismatch extends Error {}
/** Something that keeps us from looking: says nothing about the report. */
class Problem extends Error {}

// Bytes ---------------------------------------------------------------------------------------------------------------

function decodeBase58(text) {
  let number = 0n;
  for (const letter of text) {
    const value = ALPHABET.indexOf(letter);
    if (value < 0) throw new Problem(`“${letter}” does not occur in an address. Copy the address from your wallet.`);
    number = number * 58n + BigInt(value);
  }
  const bytes = [];
  for (; number > 0n; number >>= 8n) bytes.unshift(Number(number & 255n));
  const zeros = text.length - text.replace(/^1+/, "").length;
  return Uint8Array.from([...Array(zeros).fill(0), ...bytes]);
}

function encodeBase58(bytes) {
  let number = BigInt("0x" + (toHex(bytes) || "0"));
  let text = "";
  for (; number > 0n; number /= 58n) text = ALPHABET[Number(number % 58n)] + text;
  for (const byte of bytes) {
    if (byte !== 0) break;
    text = "1" + text;
  }
  return text;
}

function addressOf(text) {
  if (text === "") throw new Problem("Enter the address of your wallet.");
  if (text.length > 44) throw new Problem("That is too long for an address, which has at most 44 letters and digits.");
  const bytes = decodeBase58(text);
  if (bytes.length !== 32) throw new Problem(`An address has 32 bytes; this one has ${bytes.length}. Is it complete?`);
  return bytes;
}

function fromBase64(text) {
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    throw new Mismatch("The file is damaged: what should be base64 is not.");
  }
}

function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fromHex(text) {
  if (typeof text !== "string" || !/^([0-9a-f]{2})*$/.test(text)) {
    throw new Mismatch("The file is damaged: what should be hexadecimal is not.");
  }
  return Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
}

function hashFromHex(text) {
  const bytes = fromHex(text);
  if (bytes.length !== 32) throw new Mismatch("The file is damaged: a hash has 32 bytes.");
  return bytes;
}

function joined(...parts) {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let place = 0;
  for (const part of parts) {
    all.set(part, place);
    place += part.length;
  }
  return all;
}

function compare(left, right) {
  for (let place = 0; place < 32; place++) {
    if (left[place] !== right[place]) return left[place] - right[place];
  }
  return 0;
}

// The tree of RFC 6962 --------------------------------------------------------------------------------------------------

async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

function leafHash(leaf) {
  return sha256(joined([0], leaf));
}

function nodeHash(left, right) {
  return sha256(joined([1], left, right));
}

async function rootOfLeaves(leaves) {
  let level = await Promise.all(leaves.map(leafHash));
  while (level.length > 1) {
    const next = [];
    for (let place = 0; place + 1 < level.length; place += 2) next.push(nodeHash(level[place], level[place + 1]));
    if (level.length % 2) next.push(level[level.length - 1]);
    level = await Promise.all(next);
  }
  return level[0];
}

/** The root that a node's inclusion proof leads to; null where a tree of that size has no such proof. */
async function rootOfProof(node, index, size, path) {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return null;
  let last = size - 1;
  let used = 0;
  while (last > 0) {
    if (index % 2 === 1 || index < last) {
      if (used === path.length) return null;
      const sibling = hashFromHex(path[used++]);
      node = index % 2 ? await nodeHash(sibling, node) : await nodeHash(node, sibling);
    }
    index = Math.floor(index / 2);
    last = Math.floor(last / 2);
  }
  return used === path.length ? toHex(node) : null;
}

// A security's register ---------------------------------------------------------------------------------------------------

function requireSame(found, security, what) {
  const expected = { isin: security.isin, mint: security.mint, slot: security.slot, root: security.root, size: security.holders };
  for (const [name, value] of Object.entries(expected)) {
    if (found[name] !== value) {
      throw new Mismatch(`The ${what} is of another register: its ${name} is ${found[name]}, the report says ${value}.`);
    }
  }
}

function requireFormat(found, format) {
  if (found === null || typeof found !== "object" || found.format !== format || found.version !== 1) {
    throw new Mismatch(`A file here is not what it should be: a “${format}”, version 1.`);
  }
}

function leavesOf(text) {
  const bytes = fromBase64(text);
  if (bytes.length % LEAF_BYTES) throw new Mismatch("The file is damaged: its entries are cut off.");
  const leaves = [];
  for (let place = 0; place < bytes.length; place += LEAF_BYTES) leaves.push(bytes.subarray(place, place + LEAF_BYTES));
  return leaves;
}

function rawOf(leaf) {
  return new DataView(leaf.buffer, leaf.byteOffset, leaf.length).getBigUint64(32, true);
}

/** Where an owner is among sorted leaves or firsts, or would be. */
function placeOf(owner, sorted) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(sorted[middle], owner) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function lastNotAfter(owner, text) {
  const bytes = fromBase64(text);
  const firsts = [];
  for (let place = 0; place < bytes.length; place += 32) firsts.push(bytes.subarray(place, place + 32));
  const place = placeOf(owner, firsts);
  const isFirst = place < firsts.length && compare(firsts[place], owner) === 0;
  return Math.max(isFirst ? place : place - 1, 0);
}

async function shardNumber(owner, security, source) {
  const folder = `holders/${security.isin}/`;
  let index = await source(`${folder}index.json`, security.isin);
  let before = 0;
  for (;;) {
    requireFormat(index, "tallystick holders index");
    requireSame(index, security, "index");
    if (index.firsts !== undefined) return before + lastNotAfter(owner, index.firsts);
    const page = lastNotAfter(owner, index.pages);
    before = page * SHARD_LEAVES;
    index = await source(`${folder}index-${String(page).padStart(5, "0")}.json`, security.isin);
    if (index.page !== page || index.firsts === undefined) throw new Mismatch("The index does not belong together.");
  }
}

/** One shard's leaves, every hash up to the report's root computed anew. */
async function readShard(number, security, source) {
  const name = `${String(number).padStart(5, "0")}.json`;
  const shard = await source(`holders/${security.isin}/${name}`, security.isin);
  requireFormat(shard, "tallystick holders shard");
  requireSame(shard, security, "file");
  const start = number * SHARD_LEAVES;
  const leaves = leavesOf(shard.leaves);
  if (shard.start !== start) throw new Mismatch(`The file ${name} is another part of the register than it should be.`);
  if (leaves.length !== Math.min(SHARD_LEAVES, security.holders - start)) {
    throw new Mismatch(`The file ${name} has ${leaves.length} entries, which is not what the register has there.`);
  }
  for (let place = 0; place < leaves.length; place++) {
    if (place > 0 && compare(leaves[place - 1], leaves[place]) >= 0) throw new Mismatch("The register is not in order.");
    if (rawOf(leaves[place]) === 0n) throw new Mismatch("The register has an entry of nothing.");
  }
  const shards = Math.ceil(security.holders / SHARD_LEAVES);
  const root = await rootOfProof(await rootOfLeaves(leaves), number, shards, shard.path);
  if (root !== security.root) {
    throw new Mismatch(`The hashes of ${name} lead to ${root || "no root at all"}, not to the report's root ${security.root}.`);
  }
  return leaves;
}

/** What an owner has of a security: {raw, place}, with raw 0 and the neighbours' places where it is shown to have none. */
async function holdingOf(owner, security, source) {
  if (security.holders === 0) {
    if (security.root !== EMPTY_ROOT) throw new Mismatch("The report says that nobody holds this, but its root is of some.");
    return { raw: 0n, place: 0, files: 0 };
  }
  const number = await shardNumber(owner, security, source);
  const leaves = await readShard(number, security, source);
  const start = number * SHARD_LEAVES;
  const place = placeOf(owner, leaves);
  if (place < leaves.length && compare(leaves[place], owner) === 0) {
    return { raw: rawOf(leaves[place]), place: start + place, files: 1 };
  }
  if (place === 0 && start > 0) throw new Mismatch("The index leads to a file that begins after this address.");
  if (place < leaves.length || start + place === security.holders) return { raw: 0n, place: start + place, files: 1 };
  const next = await readShard(number + 1, security, source);
  if (compare(owner, next[0]) >= 0) throw new Mismatch("The index leads to a file that ends before this address.");
  return { raw: 0n, place: start + place, files: 2 };
}

// The report ----------------------------------------------------------------------------------------------------------------

const APPROVAL_TAG = new TextEncoder().encode("tallystick:report-approval");

const page = JSON.parse(document.getElementById("facts").textContent);

/** A security that was not listed yet at the as-of has no register, and nobody holds it. */
function isListed(security) {
  return security.root !== null;
}

/** The report's bytes as an object with what the check needs; Mismatch when they are not those this page was made of. */
async function reportOf(bytes) {
  const hash = toHex(await sha256(bytes));
  if (hash !== page.report) {
    throw new Mismatch(`report.json has the SHA-256 ${hash}, but this page was made from ${page.report}.`);
  }
  const report = JSON.parse(new TextDecoder().decode(bytes));
  const multipliers = new Map(report.tokens.map((token) => [token.mint, token.multiplier]));
  const { slot, time } = report.holders;
  const securities = report.holders.securities.map((each) => ({ ...each, slot, time, multiplier: multipliers.get(each.mint) }));
  return { hash, securities: securities.filter(isListed), statements: report.statements };
}

/** Whether the second person's signature is of that key over this report's hash (RFC 8032); Problem where no one can tell. */
async function checkApproval({ approver, signature }) {
  const elsewhere = "the command tally report verify does.";
  if (!globalThis.crypto || !crypto.subtle) throw new Problem(`Over plain http a browser checks no signatures; ${elsewhere}`);
  const isBase58 = [approver, signature].every((text) => [...text].every((letter) => ALPHABET.includes(letter)));
  const [bytes, signed] = isBase58 ? [decodeBase58(approver), decodeBase58(signature)] : [[], []];
  if (bytes.length !== 32 || signed.length !== 64) throw new Mismatch("What stands here is no key, or no signature.");
  let key;
  try {
    key = await crypto.subtle.importKey("raw", bytes, { name: "Ed25519" }, false, ["verify"]);
  } catch (error) {
    if (error.name === "DataError") throw new Mismatch(`${approver} is no Ed25519 key.`);
    throw new Problem(`Your browser cannot check Ed25519, the kind of this signature; ${elsewhere}`);
  }
  const message = joined(APPROVAL_TAG, hashFromHex(page.report));
  if (await crypto.subtle.verify({ name: "Ed25519" }, key, signed, message)) return;
  throw new Mismatch(`The signature is not that of ${approver} over the SHA-256 ${page.report}.`);
}

async function fetchBytes(path) {
  let answer;
  try {
    answer = await fetch(path, { cache: "no-cache", credentials: "omit", referrerPolicy: "no-referrer" });
  } catch {
    throw new Problem(`The server did not answer for ${path}. Try again later: this says nothing about your tokens.`);
  }
  if (!answer.ok) throw new Problem(`The server has no ${path} (status ${answer.status}): nothing could be checked.`);
  return new Uint8Array(await answer.arrayBuffer());
}

function parsed(bytes, name) {
  if (bytes.length > FILE_LIMIT) throw new Mismatch(`${name} is longer than 64 KiB, which no file of a proof is.`);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new Mismatch(`${name} is not JSON.`);
  }
}

async function fromServer(path) {
  return parsed(await fetchBytes(path), path);
}

/** The same files, chosen by hand from a folder: where the page was opened as a file, a browser fetches nothing. */
function fromFiles(files) {
  return async (path, isin) => {
    const [folder, name] = path.split("/").slice(-2);
    for (const file of files) {
      const place = (file.webkitRelativePath || file.name).split("/");
      if (place.at(-1) !== name || (place.length > 2 && place.at(-2) !== folder)) continue;
      if (file.size > FILE_LIMIT) throw new Mismatch(`${name} is longer than 64 KiB, which no file of a proof is.`);
      const found = parsed(new Uint8Array(await file.arrayBuffer()), name);
      if (place.length > 2 || found.isin === isin) return found;
    }
    throw new Problem(`Among the chosen files there is no ${path}. Choose the report's whole folder.`);
  };
}

// Words -----------------------------------------------------------------------------------------------------------------------

function decimal(units, decimals) {
  const text = units.toString().padStart(decimals + 1, "0");
  const whole = text.slice(0, text.length - decimals).replace(/\B(?=(\d{3})+$)/g, ",");
  const fraction = decimals ? text.slice(-decimals).replace(/0+$/, "") : "";
  return fraction ? `${whole}.${fraction}` : whole;
}

function count(number) {
  return decimal(BigInt(number), 0);
}

/** Exact: raw units times the multiplier of 18 places, rounded down to a base unit, as every claim is. */
function sharesOf(raw, multiplier) {
  return (raw * multiplier) / MULTIPLIER_ONE;
}

function momentOf(security) {
  return `slot ${count(security.slot)}, ${security.time.replace("T", " ").replace("Z", "")} UTC`;
}

function heldWords(raw, security) {
  const multiplier = BigInt(security.multiplier);
  const shares = decimal(sharesOf(raw, multiplier), security.decimals);
  const tokens = decimal(raw, security.decimals);
  const times = multiplier === MULTIPLIER_ONE ? "" : ` (× ${decimal(multiplier, 18)})`;
  return `${tokens} ${security.ticker} = ${shares} ${shares === "1" ? "share" : "shares"}${times}`;
}

function placeWords(raw, place, security) {
  const register = `the register of ${security.ticker} (${security.isin}) at ${momentOf(security)}`;
  const of = `${count(security.holders)} ${security.holders === 1 ? "holder" : "holders"}`;
  if (raw > 0n) return `Entry ${count(place + 1)} of ${of} in ${register}. Its hashes lead to the report’s root.`;
  if (security.holders === 0) return `Nobody is in ${register}.`;
  const where =
    place === 0
      ? "it would come before the first entry"
      : place === security.holders
        ? "it would come after the last entry"
        : `entries ${count(place)} and ${count(place + 1)} stand side by side where it would be`;
  return `Not in ${register}: of ${of} in the order of their addresses, ${where}. Their hashes lead to the report’s root.`;
}

// The page ----------------------------------------------------------------------------------------------------------------------

const MARKS = { held: "✓", absent: "○", mismatch: "✕", problem: "!" };

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function result(state, head, text) {
  const mark = element("span", { className: "mark", ariaHidden: "true" }, MARKS[state]);
  const made = element("li", { className: `result ${state}` }, mark, element("div", {}, element("strong", {}, head), element("p", {}, text)));
  made.dataset.state = state;
  return made;
}

function failure(error, name) {
  if (error instanceof Mismatch) return result("mismatch", `${name}: the proof does not match`, error.message);
  if (error instanceof Problem) return result("problem", `${name}: not checked`, error.message);
  return result("mismatch", `${name}: the proof cannot be read`, String(error.message || error));
}

function show(list, results, summary) {
  list.replaceChildren(...results);
  list.nextElementSibling.textContent = summary || "";
}

const isFile = location.protocol === "file:";
const addressForm = document.getElementById("address-form");
const addressInput = document.getElementById("address");
const addressResults = document.getElementById("address-results");
const folderInput = document.getElementById("folder");
const filesInput = document.getElementById("files");
const proofInput = document.getElementById("proof");
const proofResults = document.getElementById("proof-results");
const chainForm = document.getElementById("chain-form");
const chainResult = document.getElementById("chain-result");
const ownHash = document.getElementById("own-hash");
const ownNote = document.getElementById("own-note");

/** What was chosen; of a folder with several reports, the files of this page's own version. */
function chosen() {
  const files = [...folderInput.files, ...filesInput.files];
  const version = location.pathname.split("/").slice(-3, -1).join("/");
  const own = files.filter((file) => `/${file.webkitRelativePath}`.includes(`/${version}/`));
  return own.length ? own : files;
}

/** The report that the check goes by, and in words whether its own bytes were hashed. */
async function currentReport() {
  if (!isFile) return { ...(await reportOf(await fetchBytes("report.json"))), isHashed: true };
  const file = chosen().find((each) => each.name === "report.json" && !(each.webkitRelativePath || "").includes("/holders/"));
  if (file) return { ...(await reportOf(new Uint8Array(await file.arrayBuffer()))), isHashed: true };
  return { hash: page.report, securities: page.securities.filter(isListed), statements: page.statements, isHashed: false };
}

function showHash(report) {
  ownHash.textContent = report.hash;
  ownNote.textContent = report.isHashed
    ? "computed by your browser from report.json, and what this page was made from"
    : "what this page was made from; report.json itself was not among the files you chose";
}

async function showApproval() {
  let found;
  try {
    await checkApproval(page.approval);
    const words = `The key ${page.approval.approver} signed the SHA-256 of this report. Whose key it is, the issuer has to say.`;
    found = result("held", "Approval: the signature holds", words);
  } catch (error) {
    const isProblem = error instanceof Problem;
    const head = isProblem ? "Approval: the signature was not checked" : "Approval: the signature does not hold";
    found = result(isProblem ? "problem" : "mismatch", head, String(error.message || error));
  }
  document.getElementById("approval-result").replaceChildren(found);
}

let lastCheck = 0;

async function checkAddress(text) {
  const began = performance.now();
  const number = ++lastCheck;
  let owner, report;
  try {
    addressInput.setAttribute("aria-invalid", "true");
    owner = addressOf(text);
    addressInput.removeAttribute("aria-invalid");
    report = await currentReport();
    showHash(report);
  } catch (error) {
    return show(addressResults, [failure(error, error instanceof Problem && !owner ? "Address" : "Report")]);
  }
  const source = isFile ? fromFiles(chosen()) : fromServer;
  let files = 0;
  const results = await Promise.all(
    report.securities.map(async (security) => {
      try {
        const { raw, place, files: read } = await holdingOf(owner, security, source);
        files += read;
        const head = raw > 0n ? heldWords(raw, security) : `No ${security.ticker}`;
        return result(raw > 0n ? "held" : "absent", head, placeWords(raw, place, security));
      } catch (error) {
        return failure(error, security.ticker);
      }
    }),
  );
  // An answer to an address that was replaced meanwhile is not shown.
  if (number !== lastCheck) return undefined;
  const seconds = ((performance.now() - began) / 1000).toFixed(2);
  const isNowhere = results.every((each) => each.dataset.state === "absent");
  const hint = isNowhere ? "Was it the wallet’s address, and not that of a token account? " : "";
  return show(addressResults, results, `${hint}Checked here in ${seconds} s, from ${files} ${files === 1 ? "file" : "files"} of the register. The address did not leave this page.`);
}

async function checkHolderProof(proof, report) {
  const security = report.securities.find((each) => each.isin === proof.isin && each.mint === proof.mint);
  if (!security) throw new Mismatch(`The proof is of ${proof.isin}, which this report does not have.`);
  requireSame(proof, security, "proof");
  const leaf = fromBase64(proof.leaf);
  if (leaf.length !== LEAF_BYTES) throw new Mismatch("The proof is damaged: its entry is cut off.");
  const root = await rootOfProof(await leafHash(leaf), proof.index, proof.size, proof.path);
  if (root !== security.root) {
    throw new Mismatch(`Its hashes lead to ${root || "no root at all"}, not to the report’s root ${security.root}.`);
  }
  const raw = rawOf(leaf);
  const words = `${encodeBase58(leaf.subarray(0, 32))}. ${placeWords(raw, proof.index, security)}`;
  return result("held", heldWords(raw, security), words);
}

/** The bytes that a leaf hashes: JSON with sorted keys and no blanks (RFC 8785). */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`);
  return `{${members.join(",")}}`;
}

async function checkStatementLine(proof, report) {
  if (proof === null || proof.format !== "tallystick statement line" || proof.format_version !== 1) {
    throw new Mismatch("It is neither a holder’s proof nor that of a statement’s line.");
  }
  const { root, lines } = report.statements;
  if (proof.root !== root || proof.size !== lines) {
    throw new Mismatch(`It is of ${proof.size} lines with root ${proof.root}; the report has ${lines} with root ${root}.`);
  }
  const leaf = new TextEncoder().encode(canonical(proof.line));
  const found = await rootOfProof(await leafHash(leaf), proof.index, proof.size, proof.path);
  if (found !== root) throw new Mismatch(`Its hashes lead to ${found || "no root at all"}, not to the report’s root ${root}.`);
  const line = proof.line;
  const asOf = new Date(line.as_of * 1000).toISOString().slice(0, 19).replace("T", " ");
  const unit = line.unit === "UNIT" ? "shares" : line.unit;
  const parts = line.sub_balances.map((part) => `${part.code} ${part.quantity}`);
  const words = [
    `Statement ${line.statement_id} of custodian ${line.custodian}, account ${line.account}, as of ${asOf} UTC.`,
    parts.length ? `Of it: ${parts.join(", ")}.` : "",
    `Line ${count(proof.index + 1)} of ${count(lines)} in the report’s tree. Its hashes lead to the report’s root.`,
  ];
  return result("held", `${line.aggregate} ${unit} of ${line.isin || line.other_id}`, words.filter(Boolean).join(" "));
}

async function checkProof(file) {
  try {
    const proof = parsed(new Uint8Array(await file.arrayBuffer()), file.name);
    const report = await currentReport();
    showHash(report);
    if (proof !== null && proof.format === "tallystick holder proof") {
      requireFormat(proof, "tallystick holder proof");
      return await checkHolderProof(proof, report);
    }
    return await checkStatementLine(proof, report);
  } catch (error) {
    return failure(error, file.name);
  }
}

/** A hash as explorers and command lines print it: hexadecimal, base64, base58, or a list of 32 numbers. */
function pastedHash(text) {
  const plain = text.trim().replace(/^0x/i, "");
  if (/^[0-9a-f]{64}$/i.test(plain)) return plain.toLowerCase();
  const numbers = plain.match(/\d+/g) || [];
  if (numbers.length === 32 && /^[\s\d,[\]]+$/.test(plain)) return toHex(Uint8Array.from(numbers, Number));
  if (/^[A-Za-z0-9+/]{43}=$/.test(plain)) return toHex(fromBase64(plain));
  if (/^[1-9A-HJ-NP-Za-km-z]{40,44}$/.test(plain) && decodeBase58(plain).length === 32) return toHex(decodeBase58(plain));
  throw new Problem("That is not a SHA-256. Paste 64 hexadecimal digits, or the list of 32 numbers that an explorer shows.");
}

function start() {
  document.documentElement.classList.add("scripted");
  document.querySelector(".contents details").open = matchMedia("(min-width: 68rem)").matches;
  showApproval();
  if (!globalThis.crypto || !crypto.subtle) {
    document.getElementById("insecure").hidden = false;
    for (const control of document.querySelectorAll("#check input, #check button")) control.disabled = true;
    return;
  }
  document.getElementById("from-file").hidden = !isFile;
  addressForm.addEventListener("submit", async (event) => {
    event.preventDefault();
    addressResults.setAttribute("aria-busy", "true");
    addressResults.replaceChildren(element("li", { className: "result busy" }, "Fetching and hashing…"));
    await checkAddress(addressInput.value.trim());
    addressResults.setAttribute("aria-busy", "false");
  });
  proofInput.addEventListener("change", async () => {
    const results = await Promise.all([...proofInput.files].map(checkProof));
    show(proofResults, results);
  });
  chainForm.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const pasted = pastedHash(document.getElementById("chain-hash").value);
      const report = await currentReport();
      showHash(report);
      const isSame = pasted === report.hash;
      const words = isSame
        ? "What you pasted is the hash of this very report. Where you copied it from decides what that shows: this page can show it too."
        : `What you pasted is ${pasted}; this report is ${report.hash}. It is another report, or another version.`;
      show(chainResult, [result(isSame ? "held" : "mismatch", isSame ? "The same hash" : "Not the same hash", words)]);
    } catch (error) {
      show(chainResult, [failure(error, "Hash")]);
    }
  });
}

start();
