# An adapter for arcrun-conformance, with one method to begin with.
#
# The protocol is described in PROTOCOL.md of arcrun-conformance. Replace Client by your SDK, then add a method to
# CAPABILITIES and to call, run the suite, and repeat.

require "json"
require "net/http"

CAPABILITIES = %w[health user_agent].freeze

# Stands for the errors of your SDK: `name` is one of the names that PROTOCOL.md lists.
class SdkError < StandardError
  attr_reader :name, :status

  def initialize(name, message, status = nil)
    super(message)
    @name = name
    @status = status
  end
end

# Stands for the client of your SDK.
class Client
  def initialize(options)
    @base_url = options["base_url"].chomp("/")
  end

  # Returns the engine's health.
  def health
    response = Net::HTTP.get_response(URI("#{@base_url}/health"), { "User-Agent" => "arcrun-ruby/0.1.0" })
    status = response.code.to_i
    return JSON.parse(response.body) if status == 200

    raise SdkError.new(status >= 500 ? "server" : "status", "the engine responded with #{status}", status)
  rescue SystemCallError, SocketError, IOError, Timeout::Error, Net::HTTPBadResponse => e
    raise SdkError.new("connection", "no response from #{@base_url}: #{e.message}")
  end
end

CLIENTS = {}

# Returns what a method of the SDK returns.
def call(client, method, _arguments)
  case method
  when "health" then client.health
  else raise "#{method} is missing in this adapter"
  end
end

# Returns the result of a command.
def carry_out(command)
  case command["command"]
  when "start"
    sdk = { name: "SDK_NAME", version: "0.1.0", language: "ruby" }
    return { protocol: 1, sdk: sdk, runtime: "Ruby #{RUBY_VERSION}", capabilities: CAPABILITIES }
  when "construct"
    CLIENTS[command["client"]] = Client.new(command["options"])
  when "call"
    return call(CLIENTS.fetch(command["client"]), command["method"], command["arguments"])
  when "reset"
    CLIENTS.clear
  end
  {}
end

$stdin.set_encoding("UTF-8")
$stdout.set_encoding("UTF-8")
$stdout.sync = true
$stdin.each_line do |line|
  command = JSON.parse(line)
  reply = { id: command["id"] }
  begin
    reply[:result] = carry_out(command)
  rescue SdkError => e
    reply[:error] = { name: e.name, class: e.class.name, message: e.message, status: e.status }.compact
  rescue StandardError => e # whatever is no error of the SDK is a failure of the adapter
    reply[:failure] = { message: "#{e.class}: #{e.message}" }
  end
  puts JSON.generate(reply)
  break if command["command"] == "stop"
end
