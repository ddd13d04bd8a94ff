// A function of 71 lines.
namespace coffer {

void Raft::step(const Input& input,
                const Output& output) {
  use(1);
  use(2);
  use(3);
  use(4);
  use(5);
  use(6);
  use(7);
  use(8);
  use(9);
  use(10);
  use(11);
  use(12);
  use(13);
  use(14);
  use(15);
  use(16);
  use(17);
  use(18);
  use(19);
  use(20);
  use(21);
  use(22);
  use(23);
  use(24);
  use(25);
  use(26);
  use(27);
  use(28);
  use(29);
  use(30);
  use(31);
  use(32);
  use(33);
  use(34);
  use(35);
  use(36);
  use(37);
  use(38);
  use(39);
  use(40);
  use(41);
  use(42);
  use(43);
  use(44);
  use(45);
  use(46);
  use(47);
  use(48);
  use(49);
  use(50);
  use(51);
  use(52);
  use(53);
  use(54);
  use(55);
  use(56);
  use(57);
  use(58);
  use(59);
  use(60);
  use(61);
  use(62);
  use(63);
  use(64);
  use(65);
  use(66);
  use(67);
  use(68);
}

}  // namespace coffer
