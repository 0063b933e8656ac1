// Side by side: see policy_peers. Prints one JSON object: for each engine nanoseconds for a request
// of 5 fields, and how many of its answers differ from the vault's.
//
// The peers know neither consent nor forms nor unknown atoms: they are asked for a yes or a no to
// each field, every atom is known, and whether there is a consent is told to them as a fact.
import {execFileSync} from "node:child_process";
import {mkdirSync, readFileSync, writeFileSync} from "node:fs";
import {createRequire} from "node:module";

const require = createRequire(import.meta.url);
const [tool, work, ruleCount, requestCount] = [process.argv[2], process.argv[3],
    Number(process.argv[4]), Number(process.argv[5])];
const FIELDS = 20, CLASSES = 4, PURPOSES = 5, ATOMS = 6;

let state = 20270301n;
function below(n) {
    state = (state * 6364136223846793005n + 1442695040888963407n) & ((1n << 64n) - 1n);
    return Number((state >> 33n) % BigInt(n));
}
const field = (i) => `bench.field_${i}`;
const some = (n, most, name) => [...new Set(Array.from({length: 1 + below(most)},
    () => name(below(n))))];

// --- the same rules, the same requests

function makeRule(number) {
    const when = {};
    for (let i = below(3); i > 0; i--)
        when[`atom_${below(ATOMS)}`] = below(2) === 1;
    return {id: `rule-${number}`, effect: below(4) === 0 ? "forbid" : "permit",
        classes: some(CLASSES, 2, (i) => `class.c${i}`),
        purposes: some(PURPOSES, 2, (i) => `purpose.p${i}`),
        fields: some(FIELDS, 6, field), consent: below(3) > 0, when};
}

function makeRequest() {
    const atoms = {};
    for (let i = 0; i < ATOMS; i++)
        atoms[`atom_${i}`] = below(2) === 1;
    const fields = new Set();
    while (fields.size < 5)
        fields.add(field(below(FIELDS)));
    return {cls: `class.c${below(CLASSES)}`, purpose: `purpose.p${below(PURPOSES)}`,
        fields: [...fields], atoms,
        consented: Array.from({length: FIELDS}, (_, i) => field(i)).filter(() => below(10) < 7)};
}

const rules = Array.from({length: ruleCount}, (_, i) => makeRule(i));
const requests = Array.from({length: requestCount}, makeRequest);

// --- the vault

function writeBundle() {
    const list = (count, make) => Array.from({length: count}, (_, i) => make(i));
    mkdirSync(`${work}/bundle/rules`, {recursive: true});
    writeFileSync(`${work}/bundle/catalogue.json`, JSON.stringify({
        format: "vault-catalogue/1", types: [],
        fields: list(FIELDS, (i) => ({id: field(i), type: "code", title: {en: `Field ${i}`}})),
        purposes: list(PURPOSES, (i) => ({id: `purpose.p${i}`})),
        classes: list(CLASSES, (i) => ({id: `class.c${i}`})),
        atoms: list(ATOMS, (i) => ({id: `atom_${i}`, kind: "boolean"})), obligations: []}));
    writeFileSync(`${work}/bundle/rules/all.json`, JSON.stringify({
        format: "vault-rules/1", policy: "peers", rules: rules.map((rule) => ({
            id: rule.id, effect: rule.effect, who: {classes: rule.classes},
            purposes: rule.purposes, fields: rule.fields, when: rule.when,
            ...(rule.effect === "permit" ? {basis: rule.consent ? "consent" : "contract"} : {})}))}));
}

function vaultLine(request) {
    return JSON.stringify({id: "r", now: "2027-03-01T10:00:00Z",
        service: {id: "s", classes: [request.cls], purposes: [request.purpose]},
        purpose: request.purpose, fields: Object.fromEntries(request.fields.map((f) => [f, null])),
        atoms: request.atoms, consents: [{id: "c", service: "s", purpose: request.purpose,
            state: "given", at: "2027-02-01T00:00:00Z", expires: "2028-02-01T00:00:00Z",
            fields: Object.fromEntries(request.consented.map((f) => [f, null]))}]});
}

function askVault() {
    writeBundle();
    const lines = requests.map(vaultLine).join("\n") + "\n";
    writeFileSync(`${work}/requests.jsonl`, lines);
    const answers = execFileSync(tool, ["decide", `${work}/bundle`], {input: lines,
        maxBuffer: 1 << 30}).toString().trim().split("\n").map((line) => JSON.parse(line).fields);
    const bench = JSON.parse(execFileSync(tool, ["bench", `${work}/bundle`, "--requests",
        `${work}/requests.jsonl`, "--repeat", "200"]).toString());
    return {bench, answers: answers.flatMap((of, i) =>
        requests[i].fields.map((f) => of[f].outcome === "released"))};
}

// --- the peers: each gives a function (request, field) -> yes or no

function cedar() {
    const engine = require("@cedar-policy/cedar-wasm/nodejs");
    const text = (list) => `[${list.map((x) => JSON.stringify(x)).join(",")}]`;
    const policies = Object.fromEntries(rules.map((rule) => [rule.id,
        `${rule.effect}(principal, action, resource) when { ` + [
            `${text(rule.classes)}.contains(context.cls)`,
            `${text(rule.purposes)}.contains(context.purpose)`,
            `${text(rule.fields)}.contains(context.field)`,
            ...Object.entries(rule.when).map(([atom, wanted]) => `context.${atom} == ${wanted}`),
            ...(rule.effect === "permit" && rule.consent ? ["context.consented"] : []),
        ].join(" && ") + " };"]));
    engine.preparsePolicySet("peers", {staticPolicies: policies});
    const entity = (type, id) => ({type, id});
    return (request, f) => engine.statefulIsAuthorized({
        principal: entity("Service", "s"), action: entity("Action", "read"),
        resource: entity("Field", f), preparsedPolicySetId: "peers", entities: [],
        context: {cls: request.cls, purpose: request.purpose, field: f, ...request.atoms,
            consented: request.consented.includes(f)}}).response.decision === "allow";
}

async function casbin() {
    const {newEnforcer, newModelFromString, StringAdapter} = require("casbin");
    const model = newModelFromString(`
[request_definition]
r = cls, purpose, field, atoms, consented
[policy_definition]
p = number, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = covers(p.number, r.cls, r.purpose, r.field, r.atoms, r.consented)`);
    const enforcer = await newEnforcer(model, new StringAdapter(rules.map((rule, i) =>
        `p, ${i}, ${rule.effect === "permit" ? "allow" : "deny"}`).join("\n")));
    await enforcer.addFunction("covers", (number, cls, purpose, f, atoms, consented) => {
        const rule = rules[Number(number)];
        return rule.classes.includes(cls) && rule.purposes.includes(purpose) &&
            rule.fields.includes(f) && (rule.effect === "forbid" || !rule.consent || consented) &&
            Object.entries(rule.when).every(([atom, wanted]) => atoms[atom] === wanted);
    });
    return (request, f) => enforcer.enforce(request.cls, request.purpose, f, request.atoms,
        request.consented.includes(f));
}

function jsonRules() {
    const {Engine} = require("json-rules-engine");
    const engine = new Engine();
    for (const rule of rules) {
        engine.addRule({event: {type: rule.effect}, conditions: {all: [
            {fact: "cls", operator: "in", value: rule.classes},
            {fact: "purpose", operator: "in", value: rule.purposes},
            {fact: "field", operator: "in", value: rule.fields},
            ...Object.entries(rule.when).map(([atom, wanted]) => (
                {fact: atom, operator: "equal", value: wanted})),
            ...(rule.effect === "permit" && rule.consent
                ? [{fact: "consented", operator: "equal", value: true}] : [])]}});
    }
    return async (request, f) => {
        const {events} = await engine.run({cls: request.cls, purpose: request.purpose, field: f,
            ...request.atoms, consented: request.consented.includes(f)});
        return events.some((e) => e.type === "permit") && !events.some((e) => e.type === "forbid");
    };
}

async function measure(decide) {
    const answers = [];
    await decide(requests[0], requests[0].fields[0]);
    const start = process.hrtime.bigint();
    for (const request of requests) {
        for (const f of request.fields)
            answers.push(await decide(request, f));
    }
    return {ns: Number(process.hrtime.bigint() - start) / requests.length, answers};
}

const version = (name) => JSON.parse(readFileSync(`${work}/node_modules/${name}/package.json`)).version;
const vault = askVault();
const result = {rules: ruleCount, requests: requestCount, fields: vault.answers.length,
    released: vault.answers.filter(Boolean).length,
    engines: {vault: {ns_cold: vault.bench.ns_cold, ns_hot: vault.bench.ns_hot}}};
let differences = 0;
for (const [name, make] of [["@cedar-policy/cedar-wasm", cedar], ["casbin", casbin],
    ["json-rules-engine", jsonRules]]) {
    const {ns, answers} = await measure(await make());
    const different = answers.filter((answer, i) => answer !== vault.answers[i]).length;
    differences += different;
    result.engines[name] = {version: version(name), ns: Math.round(ns), different,
        times_slower: Math.round(ns / vault.bench.ns_cold)};
}
console.log(JSON.stringify(result, null, 1));
process.exit(differences ? 1 : 0);
