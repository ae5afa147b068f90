// Reads {"requests": [{"secret", "headers", "body": base64}], "now": milliseconds} and prints, for each, what the standardwebhooks package says at that time, or
// at the present where none is given.
const { Webhook } = require('standardwebhooks');

async function main() {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const { requests, now } = JSON.parse(Buffer.concat(chunks));
  if (now) Date.now = () => now;
  console.log(JSON.stringify(requests.map(({ secret, headers, body }) => {
    try {
      new Webhook(secret).verify(Buffer.from(body, 'base64'), headers);
      return 'verified';
    } catch (fault) {
      return fault.message;
    }
  })));
}

main();
