import { Arcrun } from "@arcrun/sdk";

// Reads ARCRUN_API_KEY and ARCRUN_BASE_URL from the environment.
const client = new Arcrun();
await client.workflows.push("greet", {
  description: "Say it louder",
  flow: ["input >> ON_SUCCESS >> shout"],
  config: {
    shout: { component: "string_ops", operation: "upper", text: "{{input.text}}" },
  },
});
const run = await client.workflows.run("greet", { text: "hello, 世界" });
console.log(run.data);
