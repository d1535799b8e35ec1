#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shrike/base/bytes.h"
#include "shrike/model/address.h"
#include "shrike/model/packet.h"

/// Builds frames and whole conversations: for tests, benches, fuzz seeds and tools.
///
///   const Frame query = Frame().ethernet().ipv4({.source = "10.0.0.1"}).udp().payload("hello");
///   Conversation web({.server_port = 80});
///   web.handshake().client("GET / HTTP/1.0\r\n\r\n").server("HTTP/1.0 200 OK\r\n\r\n").close();
///   write_pcap("web.pcap", web.frames());
///
/// Lengths, next-protocol fields and checksums come out right unless a field says otherwise, so
/// every malformation is one named field away. Nothing here depends on clock, locale or chance.
/// Cold path: it allocates freely. A misuse (an address that is none) is our bug: check().
namespace shrike::craft {

using Buffer = std::vector<uint8_t>;

/// An IP address from text ("10.0.0.1", "2001:db8::1") or value.
struct Address {
  Address(const char* text);       // NOLINT(google-explicit-constructor): made to be written inline
  Address(std::string_view text);  // NOLINT(google-explicit-constructor)
  Address(const IpAddress& address, unsigned ip_version) : value(address), version(ip_version) {}

  IpAddress value;
  unsigned version = 4;  ///< 4 or 6
};

/// An Ethernet address from text, "02:00:00:00:00:01".
struct MacAddress {
  MacAddress(const char* text);  // NOLINT(google-explicit-constructor)

  std::array<uint8_t, 6> bytes{};
};

/// Bits of Tcp::flags, joined by |.
namespace tcp_flag {
inline constexpr uint8_t fin = 1, syn = 2, rst = 4, psh = 8, ack = 16, urg = 32, ece = 64,
                         cwr = 128;
}

// ---- Layers -------------------------------------------------------------------------------
// Fields that are std::optional are computed where they are left out.

struct Ethernet {
  MacAddress source = "02:00:00:00:00:01";
  MacAddress target = "02:00:00:00:00:02";
  std::optional<uint16_t> type = {};
};
struct Vlan {
  uint16_t id = 1;
  uint8_t priority = 0;
  uint16_t tag_type = 0x8100;  ///< written into the layer before; 0x88a8 for a service tag
  std::optional<uint16_t> type = {};
};
struct Mpls {
  uint32_t label = 16;
  uint8_t ttl = 64;
  std::optional<bool> is_bottom = {};  ///< else: no further Mpls layer follows
};
struct Pppoe {
  uint8_t code = 0;  ///< 0: session data, a PPP protocol follows; else discovery
  uint16_t session = 1;
  std::optional<uint16_t> length = {};
  std::optional<uint16_t> protocol = {};  ///< PPP protocol
};
struct Ipv4 {
  Address source = "10.0.0.1";
  Address target = "10.0.0.2";
  uint8_t ttl = 64;
  uint8_t tos = 0;
  uint16_t id = 1;
  bool reserved_flag = false;
  bool dont_fragment = false;
  bool more_fragments = false;
  uint16_t fragment_offset_bytes = 0;  ///< a multiple of 8
  Buffer options = {};                 ///< filled up with zeros to whole words
  uint8_t version = 4;
  std::optional<uint8_t> protocol = {};
  std::optional<uint8_t> header_words = {};
  std::optional<uint16_t> total_length = {};
  std::optional<uint16_t> checksum = {};
};
struct Ipv6 {
  Address source = "2001:db8::1";
  Address target = "2001:db8::2";
  uint8_t hop_limit = 64;
  uint8_t traffic_class = 0;
  uint32_t flow_label = 0;
  uint8_t version = 6;
  std::optional<uint8_t> next_header = {};
  std::optional<uint16_t> payload_length = {};
};
/// Hop-by-hop options (0), routing (43), destination options (60), mobility (135), …
struct Ipv6Extension {
  uint8_t type = 60;
  Buffer content = {};  ///< behind next header and length; filled up with zeros to 8n+6 bytes
  std::optional<uint8_t> next_header = {};
  std::optional<uint8_t> length_words = {};  ///< units of 8 bytes, not counting the first
};
struct Ipv6Fragment {
  uint32_t id = 1;
  uint16_t offset_bytes = 0;  ///< a multiple of 8
  bool more_fragments = false;
  std::optional<uint8_t> next_header = {};
};
struct Authentication {
  uint32_t security_index = 1;
  uint32_t sequence = 1;
  Buffer check_value = Buffer(12);
  std::optional<uint8_t> next_header = {};
  std::optional<uint8_t> length_words = {};
};
struct TcpOptions {
  std::optional<uint16_t> segment_bytes_max = {};
  std::optional<uint8_t> window_scale = {};
  bool sack_permitted = false;
  std::optional<uint32_t> timestamp = {};
  uint32_t timestamp_echo = 0;
};
/// The options as bytes, each preceded by the NOPs that align it.
[[nodiscard]] Buffer to_bytes(const TcpOptions& options);

struct Tcp {
  uint16_t source_port = 40000;
  uint16_t target_port = 80;
  uint32_t sequence = 1;
  uint32_t acknowledgment = 0;
  uint8_t flags = tcp_flag::ack;
  uint16_t window = 65535;
  uint16_t urgent_pointer = 0;
  Buffer options = {};  ///< filled up with zeros to whole words
  std::optional<uint8_t> header_words = {};
  std::optional<uint16_t> checksum = {};
};
struct Udp {
  uint16_t source_port = 40000;
  uint16_t target_port = 53;
  std::optional<uint16_t> length = {};
  std::optional<uint16_t> checksum = {};  ///< 0: none
};
/// ICMP and ICMPv6.
struct Icmp {
  uint8_t type = 8;  ///< for ICMPv6 write 128 where an echo request is meant
  uint8_t code = 0;
  uint16_t id = 1;        ///< first half of the second word
  uint16_t sequence = 1;  ///< second half
  std::optional<uint16_t> checksum = {};
};
struct Sctp {
  uint16_t source_port = 40000;
  uint16_t target_port = 3868;
  uint32_t verification_tag = 1;
  std::optional<uint32_t> checksum = {};  ///< CRC32c, RFC 9260 6.8
};
struct SctpChunk {
  uint8_t type = 0;
  uint8_t flags = 3;
  Buffer value = {};  ///< filled up with zeros to whole words, which the length does not count
  std::optional<uint16_t> length = {};
};
struct Gre {
  uint8_t version = 0;
  bool has_checksum = false;
  std::optional<uint32_t> key = {};
  std::optional<uint32_t> sequence = {};
  std::optional<uint32_t> acknowledgment = {};  ///< version 1 (PPTP) only
  std::optional<uint16_t> protocol = {};
};
/// ERSPAN type II; over Gre with a sequence.
struct Erspan {
  uint16_t session = 1;
  uint16_t vlan = 0;
  uint8_t version = 1;
};
struct Vxlan {
  uint32_t network = 1;
  uint8_t flags = 8;
};
struct Geneve {
  uint32_t network = 1;
  uint8_t flags = 0;
  Buffer options = {};  ///< filled up with zeros to whole words
  std::optional<uint16_t> protocol = {};
};
struct LinuxSll {
  uint16_t packet_type = 0;
  uint16_t hardware_type = 1;
  std::optional<uint16_t> protocol = {};
};
struct Arp {
  uint16_t operation = 1;
  MacAddress sender_mac = "02:00:00:00:00:01";
  Address sender = "10.0.0.1";
  MacAddress target_mac = "00:00:00:00:00:00";
  Address target = "10.0.0.2";
};

// ---- Frames -------------------------------------------------------------------------------

/// A frame ready for a capture: bytes with a time.
struct TimedFrame {
  Buffer bytes;
  uint64_t time_ns = 0;
  LinkType link_type = LinkType::ethernet;
  uint32_t wire_bytes = 0;  ///< 0: bytes.size()
};

/// A frame, layer by layer from the outside in. Layers may be any and in any order: a tunnel is
/// just a layer followed by the next packet's layers.
class Frame {
 public:
  Frame& ethernet(const Ethernet& fields = {});
  Frame& linux_sll(const LinuxSll& fields = {});
  Frame& linux_sll2(const LinuxSll& fields = {});
  Frame& null_link(std::optional<uint32_t> family = {});  ///< BSD loopback, little endian
  Frame& ppp(std::optional<uint16_t> protocol = {});      ///< with address and control
  Frame& cisco_hdlc(std::optional<uint16_t> protocol = {});
  Frame& vlan(const Vlan& fields = {});
  Frame& qinq(uint16_t outer_id, uint16_t inner_id);  ///< a service tag and a customer tag
  Frame& mpls(const Mpls& fields = {});
  Frame& pppoe(const Pppoe& fields = {});
  Frame& arp(const Arp& fields = {});
  Frame& ipv4(const Ipv4& fields = {});
  Frame& ipv6(const Ipv6& fields = {});
  Frame& ipv6_extension(const Ipv6Extension& fields = {});
  Frame& ipv6_fragment(const Ipv6Fragment& fields = {});
  Frame& authentication(const Authentication& fields = {});
  Frame& esp(uint32_t security_index = 1, uint32_t sequence = 1);
  Frame& tcp(const Tcp& fields = {});
  Frame& udp(const Udp& fields = {});
  Frame& icmp(const Icmp& fields = {});
  Frame& icmpv6(const Icmp& fields = {.type = 128});
  Frame& sctp(const Sctp& fields = {});
  Frame& sctp_chunk(const SctpChunk& fields = {});
  /// A DATA chunk that carries `text` as one whole message on stream 0.
  Frame& sctp_data(std::string_view text, uint32_t transmission_sequence = 1);
  Frame& gre(const Gre& fields = {});
  Frame& erspan(const Erspan& fields = {});
  Frame& vxlan(const Vxlan& fields = {});    ///< behind udp({.target_port = 4789})
  Frame& geneve(const Geneve& fields = {});  ///< behind udp({.target_port = 6081})
  /// Teredo's origin indication; behind udp({.target_port = 3544}), before ipv6(). Teredo itself
  /// needs no layer: ipv6() directly behind udp() is Teredo.
  Frame& teredo_origin(const Address& address = "192.0.2.1", uint16_t port = 3544);
  Frame& payload(std::string_view text);
  Frame& payload(Bytes content);
  /// Bytes behind the datagram that no length field counts: Ethernet padding, check sequence.
  Frame& trailer(Bytes content);
  /// Appends the layers of another frame (an embedded datagram of an ICMP error, a tunnel).
  Frame& append(const Frame& inner);

  /// The frame with every computed field filled in.
  [[nodiscard]] Buffer bytes() const;
  /// bytes() with a time, and with the link type that the outermost layer says.
  [[nodiscard]] TimedFrame at(uint64_t time_ns) const;
  [[nodiscard]] LinkType link_type() const;

 private:
  friend class FrameBuilder;

  enum class Kind : uint8_t;
  struct Layer {
    Kind kind;
    bool keep_next = false;      ///< the next-protocol field was given
    bool keep_length = false;    ///< the length field was given
    bool keep_checksum = false;  ///< the checksum was given
    uint16_t tag = 0;  ///< what the layer before calls this one, where the kind does not tell
    Buffer header;
  };
  Frame& add(Layer layer);
  std::vector<Layer> layers_;
};

/// Cuts the outermost IP datagram of a frame into fragments of at most `piece_bytes` bytes of IP
/// payload each (rounded down to a multiple of 8, at least 8), in order. Ethernet and tags are
/// repeated. IPv6 gets a fragment header with id 1 behind its fixed header.
/// REQUIRES: the frame has an ipv4() or ipv6() layer and no trailer.
[[nodiscard]] std::vector<Buffer> fragment(const Frame& frame, size_t piece_bytes);

// ---- Conversations ------------------------------------------------------------------------

enum class Side : uint8_t { client, server };

struct ConversationOptions {
  Address client = "10.0.0.1";
  Address server = "10.0.0.2";  ///< the same version as client
  uint16_t client_port = 40000;
  uint16_t server_port = 80;
  bool is_udp = false;
  uint32_t client_sequence = 1000;  ///< initial sequence numbers
  uint32_t server_sequence = 5000;
  size_t segment_bytes_max = 1460;  ///< payload of one segment or datagram
  bool acknowledge = true;          ///< the receiver answers each write with a bare ACK
  uint64_t start_ns = 1'700'000'000'000'000'000;
  uint64_t step_ns = 1'000'000;         ///< from frame to frame
  Frame envelope = Frame().ethernet();  ///< layers before IP
};

/// A TCP connection or UDP exchange between two endpoints, as frames in order of time. Sequence
/// and acknowledgment numbers follow what was sent; the methods below "Oddities" break that
/// order on purpose.
class Conversation {
 public:
  explicit Conversation(ConversationOptions options = {});

  Conversation& handshake();                    ///< SYN, SYN+ACK, ACK
  Conversation& client(std::string_view data);  ///< client to server, in segments, then an ACK
  Conversation& server(std::string_view data);
  Conversation& send(Side from, std::string_view data);
  Conversation& close(Side first = Side::client);  ///< FIN+ACK, FIN+ACK, ACK
  Conversation& reset(Side from = Side::client);   ///< RST+ACK
  Conversation& acknowledge(Side from);            ///< a bare ACK
  Conversation& wait(uint64_t pause_ns);           ///< time before the next frame

  // Oddities.
  /// A TCP segment of `data` at `offset` bytes from what `from` sent last (negative: again, or
  /// overlapping; positive: leaves a hole). Does not move the sequence number. No ACK follows.
  Conversation& segment(Side from, int64_t offset, std::string_view data,
                        uint8_t flags = tcp_flag::psh | tcp_flag::ack);
  /// Bytes that the capture missed: moves `from`'s sequence number, writes no frame.
  Conversation& lose(Side from, size_t bytes);
  Conversation& repeat_last();    ///< the last frame again
  Conversation& swap_last_two();  ///< the last two frames change places, times stay in order
  Conversation& drop_last();      ///< the last frame is not in the capture
  /// Reorders all frames from index `first` on by `seed`, times stay in order.
  Conversation& shuffle(size_t first, uint64_t seed);
  /// Any frame between the endpoints: `transport` follows the envelope and the IP header.
  Conversation& add(Side from, const Frame& transport);

  [[nodiscard]] const std::vector<TimedFrame>& frames() const { return frames_; }
  /// Next sequence number of a side.
  [[nodiscard]] uint32_t sequence(Side side) const { return sequence_[static_cast<size_t>(side)]; }

 private:
  Conversation& tcp_frame(Side from, uint32_t sequence, uint8_t flags, std::string_view data);
  [[nodiscard]] Frame to_other(Side from) const;

  ConversationOptions options_;
  uint32_t sequence_[2];
  uint64_t time_ns_;
  std::vector<TimedFrame> frames_;
};

/// Frames of several conversations in order of time; equal times keep the order given.
[[nodiscard]] std::vector<TimedFrame> merge(std::span<const std::vector<TimedFrame>> conversations);

// ---- Re-segmentation ----------------------------------------------------------------------

/// How TCP segments are sent anew. Every step leaves the streams what they are to a receiver that
/// keeps the first of two copies of a byte.
struct ResegmentOptions {
  size_t piece_bytes_max = 0;               ///< of payload; 0: segments stay whole
  std::optional<uint64_t> cut_seed = {};    ///< else all pieces are of piece_bytes_max
  std::optional<uint64_t> order_seed = {};  ///< reorders up to 8 pieces that follow one another
  bool duplicate = false;                   ///< each piece is sent twice
  bool fragment = false;                    ///< IP datagrams above 64 bytes come in fragments
};

/// Cuts, reorders, repeats and fragments in this order what is TCP over IPv4 or IPv6 (without
/// extension headers), over Ethernet (tags allowed) or raw IP; whole and not a fragment itself.
/// FIN and PSH go to the last piece; sequence numbers move on, acknowledgments stay. Checksums
/// come out right where they were right, and wrong where they were wrong.
///
/// Segments with SYN, RST or URG are not cut: what a receiver makes of their bytes depends on the
/// segment as a whole. Only connections whose SYN was seen are reordered, and never beyond a frame
/// of the other direction or one without data, so the first piece of a stream stays known.
class Resegmenter {
 public:
  explicit Resegmenter(const ResegmentOptions& options);
  ~Resegmenter();
  Resegmenter(Resegmenter&&) noexcept;

  /// The next frames of a capture, sent anew. Times stay in order where they were.
  /// What is reordered stays within one call.
  [[nodiscard]] std::vector<TimedFrame> resegment(std::span<const TimedFrame> frames);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A whole capture at once.
[[nodiscard]] std::vector<TimedFrame> resegment(std::span<const TimedFrame> frames,
                                                const ResegmentOptions& options);

// ---- Packets and captures -----------------------------------------------------------------

/// Packets that borrow the frames' bytes, numbered from 1, with clock and wire length: what a
/// PacketSource would hand over.
[[nodiscard]] std::vector<Packet> to_packets(std::span<const TimedFrame> frames);

struct PcapOptions {
  bool has_nanoseconds = true;
  bool is_big_endian = false;
  LinkType link_type = LinkType::ethernet;
  uint32_t snap_bytes = 262144;  ///< longer frames are cut, their wire length stays
};

/// A classic pcap file as bytes. Source: draft-ietf-opsawg-pcap, sections 4 and 5.
[[nodiscard]] Buffer to_pcap(std::span<const TimedFrame> frames, const PcapOptions& options);
/// As above, with nanoseconds and the link type of the first frame (Ethernet where there is none).
[[nodiscard]] Buffer to_pcap(std::span<const TimedFrame> frames);
/// @return false where the file could not be written whole.
[[nodiscard]] bool write_pcap(const std::string& path, std::span<const TimedFrame> frames);

/// Writes a pcap file frame by frame, for captures that do not fit in memory.
class PcapWriter {
 public:
  /// Creates or empties the file.
  PcapWriter(const std::string& path, const PcapOptions& options);
  ~PcapWriter();
  PcapWriter(PcapWriter&&) noexcept;

  /// @param wire_bytes 0: frame.size(). Nothing is written after a failure.
  void write(Bytes frame, uint64_t time_ns, uint32_t wire_bytes = 0);
  /// Writes what is buffered. @return false where anything so far could not be written.
  [[nodiscard]] bool finish();
  [[nodiscard]] uint64_t bytes() const;  ///< of the file so far

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// ---- Checksums ----------------------------------------------------------------------------

/// The Internet checksum (RFC 1071) of bytes that hold a zero checksum field. @param sum what went
/// before, as partial_checksum() gives it.
[[nodiscard]] uint16_t internet_checksum(Bytes bytes, uint32_t sum = 0);
/// One's-complement sum of 16-bit words, folded once. Only the last part may be of odd length.
[[nodiscard]] uint32_t partial_checksum(Bytes bytes, uint32_t sum = 0);
/// Changes a checksum as the bytes it covers change. Both of even length, and at an even place.
/// Source: RFC 1624, equation 3.
[[nodiscard]] uint16_t updated_checksum(uint16_t checksum, Bytes before, Bytes after);
/// CRC32c as SCTP uses it. Source: RFC 9260 appendix A.
[[nodiscard]] uint32_t crc32c(Bytes bytes);

}  // namespace shrike::craft
