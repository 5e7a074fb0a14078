# Joins one end of a wire to a network interface of this namespace: makes a TAP interface of the given name and carries Ethernet frames
# between it and the standard input and output, each behind its length in two bytes. Ends with its input. Perl, because the interface
# takes an ioctl, which Node.js has none of; the base system has it.
use strict;
use warnings;

my $TUNSETIFF = 0x400454ca;
my $TAP_WITHOUT_HEADER = 0x1002;

open(my $tap, '+<', '/dev/net/tun') or die "cannot open /dev/net/tun: $!\n";
ioctl($tap, $TUNSETIFF, pack('a16 S x22', $ARGV[0], $TAP_WITHOUT_HEADER)) or die "cannot make the interface: $!\n";
syswrite(STDOUT, pack('n', 0));

my $waiting = '';
my $watched = '';
vec($watched, fileno($tap), 1) = 1;
vec($watched, fileno(STDIN), 1) = 1;
while (select(my $ready = $watched, undef, undef, undef) >= 0) {
    if (vec($ready, fileno($tap), 1)) {
        sysread($tap, my $frame, 65535) or next;
        syswrite(STDOUT, pack('n', length $frame) . $frame);
    }
    if (vec($ready, fileno(STDIN), 1)) {
        sysread(STDIN, $waiting, 65536, length $waiting) or last;
        while (length $waiting >= 2) {
            my $end = 2 + unpack('n', $waiting);
            last if length $waiting < $end;
            # While the interface is down, frames are lost as on a wire.
            syswrite($tap, substr($waiting, 2, $end - 2));
            substr($waiting, 0, $end) = '';
        }
    }
}
