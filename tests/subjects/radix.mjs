// A radix cache in another language, with all that it takes to have it checked. Standard library of Node only.
//
//     radixcheck verify --exec "node tests/subjects/radix.mjs"
//
// It evicts by LRU, keeps namespaces apart, and shows its inside. It has the tree verbs and not the request verbs, which it says.
// The protocol is in verification/remote/README.md.

import { readSync, writeSync } from "node:fs";
import { fileURLToPath } from "node:url";

class Refusal extends Error {} // a call outside its guard: nothing has changed

function refuse(unless, name, text) {
  if (!unless) throw Object.assign(new Refusal(text), { name });
}

const amount = (value) => Number.isInteger(value) && value >= 0; // JSON may carry anything: 1.5, null, "1"
const integers = (values) => Array.isArray(values) && values.every(Number.isSafeInteger);

export class Cache {
  constructor(pageSize, capacity) {
    Object.assign(this, { pageSize, now: 0, names: 0, moves: [], handles: [], receipts: [] });
    this.root = { children: new Map(), segment: [], slots: [], lock: 0, parent: null };
    this.free_ = Array.from({ length: capacity / pageSize }, (_, i) => i * pageSize).reverse(); // first slots of free pages
    this.loans = new Set(); // first slots of the pages that a caller owns
  }

  // The verbs. Each takes what the message says and returns what the answer says.

  match({ tokens, namespace }) {
    const node = this.reach(this.walk(tokens, namespace));
    this.access(node);
    const slots = this.path(node).reverse().flatMap((used) => used.slots);
    return { length: slots.length, slots, node: this.handles.push(node) - 1, name: node.name ?? null };
  }

  peek({ tokens, namespace }) {
    return { length: this.walk(tokens, namespace).length };
  }

  insert({ tokens, namespace, slots }) {
    refuse(integers(slots), "BadSlots", "slots are integers");
    const place = this.walk(tokens, namespace);
    const whole = tokens.length - (tokens.length % this.pageSize);
    refuse(slots.length >= whole, "BadAmount", `${slots.length} slots for ${whole} tokens`);
    const given = slots.slice(place.length, whole);
    const pages = this.owned(given); // before anything changes
    let node = this.reach(place);
    if (given.length) {
      node = this.grow(node, namespace, tokens.slice(place.length, whole), given);
      pages.forEach((page) => this.loans.delete(page));
    }
    this.access(node);
    return { length: place.length };
  }

  lock({ node: handle }) {
    const node = this.handles[handle];
    refuse(this.path(node).at(-1)?.parent === this.root || node === this.root, "StaleHandle", "its node has left the tree");
    this.path(node).forEach((held) => (held.lock += 1));
    return { receipt: this.receipts.push(node) - 1 };
  }

  unlock({ receipt }) {
    refuse(this.receipts[receipt], "NotLocked", "it was released before");
    this.path(this.receipts[receipt]).forEach((held) => (held.lock -= 1));
    this.receipts[receipt] = null;
    return {};
  }

  evict({ tokens }) {
    refuse(amount(tokens), "BadAmount", `${tokens} tokens`);
    let freed = 0;
    while (freed < tokens) {
      const leaves = this.nodes().filter((node) => node.lock === 0 && node.children.size === 0);
      if (!leaves.length) break;
      const victim = leaves.reduce((least, node) => (node.time < least.time ? node : least));
      victim.parent.children.delete(victim.filed);
      victim.parent = null; // handles on it are stale from now on
      freed += this.giveBack(victim.slots);
    }
    return { length: freed };
  }

  alloc({ tokens }) {
    refuse(amount(tokens), "BadAmount", `${tokens} tokens`);
    const needed = Math.ceil(tokens / this.pageSize) * this.pageSize;
    const [free, evictable] = this.sizes();
    refuse(needed <= free + evictable, "NoRoom", `${needed} tokens needed, ${free + evictable} are free or evictable`);
    this.evict({ tokens: Math.max(0, needed - free) });
    const pages = Array.from({ length: needed / this.pageSize }, () => this.free_.pop());
    pages.forEach((page) => this.loans.add(page));
    const slots = pages.flatMap((page) => Array.from({ length: this.pageSize }, (_, i) => page + i));
    if (slots.length) this.moves.push(["take", slots]);
    return { slots };
  }

  free({ slots }) {
    refuse(integers(slots), "BadSlots", "slots are integers");
    this.owned(slots).forEach((page) => this.loans.delete(page));
    this.giveBack(slots);
    return {};
  }

  reset() {
    refuse(!this.receipts.some(Boolean) && !this.loans.size, "StillHeld", "a lock or a caller holds a part of it");
    this.nodes().forEach((node) => this.giveBack(node.slots));
    this.root.children.forEach((child) => (child.parent = null));
    this.root.children.clear();
    return {};
  }

  sizes() {
    const tokens = [this.free_.length * this.pageSize, 0, 0]; // available, evictable, protected
    for (const node of this.nodes()) tokens[node.lock ? 2 : 1] += node.segment.length;
    return tokens;
  }

  observe() {
    const name = (node) => (node === this.root ? null : node.name);
    const seen = (n) => [n.name, name(n.parent), n.segment, n.slots, n.namespace, n.segment.slice(0, this.pageSize), n.lock, n.time];
    return { now: this.now, nodes: this.nodes().map(seen) };
  }

  locate({ node }) {
    return { name: this.handles[node].name ?? null };
  }

  // The tree.

  key(parent, namespace, page) {
    return JSON.stringify(parent === this.root ? [namespace, page] : page);
  }

  walk(tokens, namespace) {
    refuse(integers(tokens) && tokens.every(amount), "BadKey", "a token is an integer >= 0");
    for (let node = this.root, length = 0; ; ) {
      const child = node.children.get(this.key(node, namespace, tokens.slice(length, length + this.pageSize)));
      if (!child) return { node, length, inside: 0 };
      let shared = 0;
      while (shared < child.segment.length && child.segment[shared] === tokens[length + shared]) shared += 1;
      shared -= shared % this.pageSize;
      length += shared;
      if (shared < child.segment.length) return { node: child, length, inside: shared };
      node = child;
    }
  }

  reach({ node, inside }) {
    return inside ? this.split(node, inside) : node;
  }

  split(lower, at) {
    const upper = { ...lower, name: ++this.names, children: new Map() };
    [upper.segment, lower.segment] = [lower.segment.slice(0, at), lower.segment.slice(at)];
    [upper.slots, lower.slots] = [lower.slots.slice(0, at), lower.slots.slice(at)];
    upper.parent.children.set(upper.filed, upper);
    lower.parent = upper;
    lower.filed = this.key(upper, upper.namespace, lower.segment.slice(0, this.pageSize));
    upper.children.set(lower.filed, lower);
    return upper;
  }

  grow(parent, namespace, segment, slots) {
    const filed = this.key(parent, namespace, segment.slice(0, this.pageSize));
    const leaf = { name: ++this.names, parent, filed, namespace, segment, slots, lock: 0, time: 0, children: new Map() };
    parent.children.set(filed, leaf);
    return leaf;
  }

  path(node) {
    const path = []; // from the node up, without the root
    for (; node && node !== this.root; node = node.parent) path.push(node);
    return path;
  }

  access(node) {
    this.now += 1;
    for (const used of this.path(node)) used.time = this.now;
  }

  nodes() {
    const found = [...this.root.children.values()]; // parents first
    for (const node of found) found.push(...node.children.values());
    return found;
  }

  owned(slots) {
    const pages = slots.filter((_, i) => i % this.pageSize === 0);
    const whole = pages.flatMap((page) => Array.from({ length: this.pageSize }, (_, i) => page + i));
    const own = new Set(pages).size === pages.length && pages.every((page) => this.loans.has(page));
    refuse(own && String(whole) === String(slots), "NotYourSlot", `${slots} are not whole pages of this caller`);
    return pages;
  }

  giveBack(slots) {
    for (let i = 0; i < slots.length; i += this.pageSize) this.free_.push(slots[i]);
    if (slots.length) this.moves.push(["give", slots]);
    return slots.length;
  }
}

// The serving.

const MADE = {
  protocol: 1,
  version: "1",
  observe: true,
  locate: true,
  supports: { requests: false, policies: ["lru"], page_sizes: [1, 2, 16], attributes: ["time"] },
};

export function serve(Kind) {
  let cache = null;
  const perform = (asked) => {
    if (asked.do === "make") cache = new Kind(asked.page_size, asked.pool);
    return asked.do === "make" ? MADE : cache[asked.do](asked);
  };
  const answer = (asked) => {
    let said;
    try {
      said = perform(asked);
    } catch (error) {
      said = { error: error.name, text: error.message, refused: error instanceof Refusal };
    }
    const pool = cache.moves.splice(0);
    return { ...said, sizes: cache.sizes(), ...(pool.length ? { pool } : {}), ...(asked.show ? { seen: cache.observe() } : {}) };
  };
  const chunk = Buffer.alloc(1 << 16);
  for (let rest = "", size; (size = readSync(0, chunk)) > 0; ) {
    const lines = (rest + chunk.toString("latin1", 0, size)).split("\n");
    rest = lines.pop();
    for (const line of lines) writeSync(1, JSON.stringify(answer(JSON.parse(line))) + "\n");
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) serve(Cache);
