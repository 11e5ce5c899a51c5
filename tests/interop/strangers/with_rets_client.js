// The client `rets-client` of npm: what it gets of what standard input asks, as JSON. Runs in its own environment.
'use strict';

const crypto = require('crypto');
const fs = require('fs');
const rets = require('rets-client');

const asked = JSON.parse(fs.readFileSync(0, 'utf8'));

async function metadata(client) {
  const found = { resources: {}, classes: {}, fields: {}, lookups: {}, objects: {} };
  const rows = async (answer) => (await answer).results[0].metadata;
  if (!(await client.metadata.getSystem()).systemId) throw new Error('no system');
  for (const each of await rows(client.metadata.getResources())) found.resources[each.ResourceID] = each.KeyField;
  for (const resource of asked.resources) {
    const name = resource.name;
    found.classes[name] = (await rows(client.metadata.getClass(name))).map((each) => each.ClassName);
    for (const each of resource.classes) {
      const columns = ['SystemName', 'StandardName', 'DataType', 'Interpretation', 'LookupName'];
      const table = await rows(client.metadata.getTable(name, each));
      found.fields[`${name}:${each}`] = table.map((field) => columns.map((column) => field[column]));
    }
    for (const lookup of resource.lookups) {
      const values = await rows(client.metadata.getLookupTypes(name, lookup));
      found.lookups[`${name}:${lookup}`] = Object.fromEntries(values.map((each) => [each.Value, each.LongValue]));
    }
    if (resource.has_objects) {
      const kinds = await rows(client.metadata.getObject(name));
      found.objects[name] = kinds.map((each) => [each.ObjectType, each.MIMEType]);
    }
  }
  return found;
}

function shown(item) {
  const about = item.headerInfo;
  const found = [about.contentId, about.objectId, about.contentDescription || ''];
  if (about.location) return [...found, about.location];
  const bytes = item.data || Buffer.alloc(0);
  return [...found, about.contentType, crypto.createHash('sha256').update(bytes).digest('hex')];
}

async function objects(client, each) {
  const ids = Object.fromEntries(each.keys.map((key) => [key, each.numbers]));
  const options = { Location: each.location ? 1 : 0, alwaysGroupObjects: true };
  const answer = await client.objects.getObjects(each.resource, each.type, ids, options);
  // Besides the objects it lists the headers of the whole, and errors in place of objects that are not there.
  const there = answer.objects.filter((item) => item.type !== 'headerInfo' && !item.error);
  return there.map(shown).sort();
}

async function main() {
  const settings = {
    loginUrl: asked.login_url, username: asked.username, password: asked.password, version: asked.version,
    userAgent: asked.user_agent,
  };
  if (asked.user_agent_password) settings.userAgentPassword = asked.user_agent_password;
  const found = { rows: {}, objects: {} };
  await rets.getAutoLogoutClient(settings, async (client) => {
    found.metadata = await metadata(client);
    for (const resource of asked.resources) {
      for (const name of resource.classes) {
        for (const format of asked.formats) {
          const answer = await client.search.query(resource.name, name, `(${resource.key}=0+)`, { format });
          if (answer.count !== answer.results.length || answer.maxRowsExceeded) throw new Error('rows are missing');
          found.rows[`${resource.name}:${name} ${format}`] = answer.results;
        }
      }
    }
    for (const [number, each] of asked.objects.entries()) found.objects[number] = await objects(client, each);
  });
  process.stdout.write(JSON.stringify(found));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
