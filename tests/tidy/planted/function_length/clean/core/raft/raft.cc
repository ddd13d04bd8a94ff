// A function of 70 lines, and a table that is longer.
namespace coffer {

void Raft::step(const Input& input) {
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

constexpr int kTable[] = {
    f(1),
    f(2),
    f(3),
    f(4),
    f(5),
    f(6),
    f(7),
    f(8),
    f(9),
    f(10),
    f(11),
    f(12),
    f(13),
    f(14),
    f(15),
    f(16),
    f(17),
    f(18),
    f(19),
    f(20),
    f(21),
    f(22),
    f(23),
    f(24),
    f(25),
    f(26),
    f(27),
    f(28),
    f(29),
    f(30),
    f(31),
    f(32),
    f(33),
    f(34),
    f(35),
    f(36),
    f(37),
    f(38),
    f(39),
    f(40),
    f(41),
    f(42),
    f(43),
    f(44),
    f(45),
    f(46),
    f(47),
    f(48),
    f(49),
    f(50),
    f(51),
    f(52),
    f(53),
    f(54),
    f(55),
    f(56),
    f(57),
    f(58),
    f(59),
    f(60),
    f(61),
    f(62),
    f(63),
    f(64),
    f(65),
    f(66),
    f(67),
    f(68),
    f(69),
    f(70),
    f(71),
    f(72),
    f(73),
    f(74),
    f(75),
    f(76),
    f(77),
    f(78),
    f(79),
    f(80),
};

class Raft {
  void f1();
  void f2();
  void f3();
  void f4();
  void f5();
  void f6();
  void f7();
  void f8();
  void f9();
  void f10();
  void f11();
  void f12();
  void f13();
  void f14();
  void f15();
  void f16();
  void f17();
  void f18();
  void f19();
  void f20();
  void f21();
  void f22();
  void f23();
  void f24();
  void f25();
  void f26();
  void f27();
  void f28();
  void f29();
  void f30();
  void f31();
  void f32();
  void f33();
  void f34();
  void f35();
  void f36();
  void f37();
  void f38();
  void f39();
  void f40();
  void f41();
  void f42();
  void f43();
  void f44();
  void f45();
  void f46();
  void f47();
  void f48();
  void f49();
  void f50();
  void f51();
  void f52();
  void f53();
  void f54();
  void f55();
  void f56();
  void f57();
  void f58();
  void f59();
  void f60();
  void f61();
  void f62();
  void f63();
  void f64();
  void f65();
  void f66();
  void f67();
  void f68();
  void f69();
  void f70();
  void f71();
  void f72();
  void f73();
  void f74();
  void f75();
  void f76();
  void f77();
  void f78();
  void f79();
  void f80();
};

}  // namespace coffer
